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

    /// <summary>
    /// A device process can hand its standard error or its control socket on to the VMM, whose socket keeps it (SCM_RIGHTS): then neither ends with
    /// the process. The other end is held by this test in the VMM's stead.
    /// </summary>
    [Fact]
    public async Task Device_WhosePipeOutlivesIt_EndsTheSandboxAndHoldsNobodyUp()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return; // may not open what belongs to a process that made itself untraceable
        }

        await using WholeSandbox sandbox = await WholeSandbox.StartAsync();
        WatchedProcess entropy = sandbox.Processes.Single(static process => process.Name == "sandbox-device (rng)");
        await using FileStream held = new($"/proc/{entropy.Child.Pid}/fd/2", FileMode.Open, FileAccess.Write);
        Assert.Equal(0, entropy.Child.Kill(Kill));

        await sandbox.Watch.AllEnded.WaitAsync(Patience);

        Assert.Equal(0, sandbox.Watch.Replacements);
    }
}
