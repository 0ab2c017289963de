namespace Sandbox.Lab.Tests;

/// <summary>What `sandbox run` ends with.</summary>
[Collection(LabGroup.Name)]
public sealed class ExitCodeTests(LabHost lab)
{
    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(255)]
    public async Task Command_WithACode_GivesIt(int code)
    {
        Expect.ExitCode(code, await lab.SandboxAsync("run", "--", "/bin/sh", "-c", $"exit {code}"));
    }

    [Theory]
    [InlineData("KILL", 137)]
    [InlineData("TERM", 143)]
    public async Task Command_KilledByASignal_Gives128AndItsNumber(string signal, int code)
    {
        Expect.ExitCode(code, await lab.SandboxAsync("run", "--", "/bin/sh", "-c", $"kill -{signal} $$"));
    }

    [Fact]
    public async Task Command_NotThere_Gives127AndOneLine()
    {
        CommandResult result = await lab.SandboxAsync("run", "--", "/no/such/command");
        Expect.ExitCode(127, result);
        Assert.True(result.ErrorLines.Length == 1 && result.Error.Contains("/no/such/command", StringComparison.Ordinal), result.ToString());
    }

    [Fact]
    public async Task Command_NotExecutable_Gives126AndOneLine()
    {
        CommandResult result = await lab.SandboxAsync("run", "--", "/etc/passwd");
        Expect.ExitCode(126, result);
        Assert.True(result.ErrorLines.Length == 1 && result.Error.Contains("/etc/passwd", StringComparison.Ordinal), result.ToString());
    }

    [Fact]
    public async Task Command_BeyondItsTime_Gives124()
    {
        // The time counts from the start: it must be enough for a guest to boot on an emulated machine that is busy.
        CommandResult result = await lab.SandboxAsync("run", "--kernel", Kernels.PathOf(Kernels.TunedElf), "--timeout", "30s", "--", "/bin/sleep", "600");
        Expect.ExitCode(124, result);
        Assert.True(result.Elapsed.TotalSeconds >= 29, result.ToString());
    }
}
