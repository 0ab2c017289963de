using System.Text;
using Sandbox.Lab.Machine;
using Xunit.Abstractions;

namespace Sandbox.Lab.Tests;

/// <summary>A guest of QEMU's, emulated on this machine: the lab host with other devices, which our device processes serve.</summary>
internal static class QemuGuest
{
    /// <summary>Runs a bash script in one. Its first argument is the folder of Debian's modules; what it says, when it ends with 0.</summary>
    /// <param name="emulatorArguments">The devices.</param>
    /// <param name="script">As root.</param>
    /// <param name="output">Gets what it says in any case.</param>
    /// <param name="arguments">Further ones of the script.</param>
    public static async Task<string> RunAsync(string[] emulatorArguments, string script, ITestOutputHelper output, params string[] arguments)
    {
        LabOptions options = LabOptions.ForRepository(Product.Root) with { EmulatorArguments = emulatorArguments };
        using LabMachine machine = await Task.Run(() => LabMachine.Boot(options));
        StringBuilder said = new();
        StringBuilder errors = new();
        LabCommand command = machine.Session.Start(
            new CommandSpec(["bash", "-c", script, "script", Path.GetDirectoryName(Kernels.PathOf(Kernels.DebianElf)) + "/modules", .. arguments]) { Directory = Product.Root },
            bytes => said.Append(Encoding.UTF8.GetString(bytes)),
            bytes => errors.Append(Encoding.UTF8.GetString(bytes)));
        command.EndInput();
        int code = await command.Exit.WaitAsync(TimeSpan.FromMinutes(5));
        output.WriteLine($"{said}{errors}");
        Assert.True(code == 0, $"{code}: {said}{errors}\n{machine.ReadLogs()}");
        return said.ToString();
    }
}
