using Sandbox.Linux;
using Sandbox.Runtime;

namespace Sandbox.Confinement.Tests.Jail;

/// <summary>How a whole sandbox ends when a process of it does not do its part.</summary>
[Collection("processes")]
public sealed class SandboxEndTests
{
    private const int Stop = 19; // SIGSTOP
    private const int Kill = 9; // SIGKILL
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Device_ThatHangsWhenTheVmmDies_IsKilledAndNotReplaced()
    {
        await using WholeSandbox sandbox = await WholeSandbox.StartAsync();
        WatchedProcess entropy = sandbox.Processes.Single(static process => process.Name == "sandbox-device (rng)");
        WatchedProcess vmm = sandbox.Processes.Single(static process => process.Name == "sandbox-vmm");
        Assert.Equal(0, entropy.Child.Kill(Stop));
        Assert.Equal(0, vmm.Child.Kill(Kill));

        await sandbox.Watch.AllEnded.WaitAsync(Patience);

        Assert.Equal(new ExitStatus(-1, Kill), entropy.Status);
        Assert.Equal(0, sandbox.Watch.Replacements);
        Assert.Null(sandbox.Watch.GivenUp);
    }
}
