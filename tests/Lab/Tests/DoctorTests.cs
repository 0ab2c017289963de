namespace Sandbox.Lab.Tests;

/// <summary>`sandbox doctor` where guests run, and where they cannot.</summary>
[Collection(LabGroup.Name)]
public sealed class DoctorTests(LabHost lab)
{
    [Fact]
    public async Task Doctor_OnTheGuestHost_FindsItReady()
    {
        CommandResult result = await lab.SandboxAsync("doctor");
        Expect.ExitCode(0, result);
        foreach (string line in result.Text.Split('\n').Where(line => line.StartsWith("hardware virtualization", StringComparison.Ordinal) || line.StartsWith("/dev/kvm", StringComparison.Ordinal)))
        {
            Assert.Matches(@" ok ", line);
        }
    }

    [Fact]
    public async Task Doctor_WithoutKvm_SaysSoWithTheCure()
    {
        CommandResult result = await lab.ScriptAsync("unshare --mount bash -c 'mount --bind /run /dev && exec \"$0\" doctor' $sandbox");
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains(result.Text.Split('\n'), line => line.StartsWith("/dev/kvm", StringComparison.Ordinal) && line.Contains(" missing ", StringComparison.Ordinal) && line.Contains(';', StringComparison.Ordinal));
    }

    [Fact]
    public async Task Version_IsPrinted()
    {
        CommandResult result = await lab.SandboxAsync("version");
        Expect.ExitCode(0, result);
        Assert.Matches(@"\d+\.\d+\.\d+", result.Text);
    }
}
