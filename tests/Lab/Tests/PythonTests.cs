using System.Text;

namespace Sandbox.Lab.Tests;

/// <summary>A distribution's own programs in a distribution's own root.</summary>
[Collection(LabGroup.Name)]
public sealed class PythonTests(LabHost lab)
{
    [Theory]
    [InlineData(Kernels.DebianElf)]
    [InlineData(Kernels.TunedElf)]
    public async Task Python_InADebianRoot_ComputesAndReadsInput(string kernel)
    {
        const string Program = "import sys; numbers = [int(line) for line in sys.stdin]; print(sum(numbers), 2 ** 127 - 1); sys.exit(len(numbers))";
        CommandResult result = await lab.RunAsync(
            [Product.Exe, "run", "--kernel", Kernels.PathOf(kernel), "--memory", "512M", "--rootfs", Product.DebianRoot, "--", "/usr/bin/python3", "-c", Program],
            Encoding.ASCII.GetBytes("1\n20\n300\n"),
            TimeSpan.FromMinutes(3));
        Expect.ExitCode(3, result);
        Expect.Text("321 170141183460469231731687303715884105727", result);
    }
}
