using Xunit.Abstractions;

namespace Sandbox.Lab.Tests;

/// <summary>The short form of <c>make crash-test</c>.</summary>
[Collection(DeviceGroup.Name)]
public sealed class CrashTests(LabHost lab, ITestOutputHelper output)
{
    [Fact]
    public async Task DeviceProcess_KilledUnderFioAndMkfs_IsReplacedAndTheGuestSeesNoError()
    {
        CommandResult result = await lab.ScriptAsync($"tests/Lab/crash-test.sh {Environment.GetEnvironmentVariable("GUEST_KILLS") ?? "3"}", limit: TimeSpan.FromMinutes(60));
        output.WriteLine(result.ToString());
        Expect.ExitCode(0, result);
    }
}
