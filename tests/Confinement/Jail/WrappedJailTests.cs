using Sandbox.Control.Jail;
using Sandbox.Linux;
using Xunit;

namespace Sandbox.Confinement.Tests.Jail;

/// <summary>The jail started by somebody else than this process: an ordinary user, a launcher that dies.</summary>
[Collection("processes")]
public sealed class WrappedJailTests
{
    private const int Nobody = 65534;

    [Fact]
    public void Launcher_IsOrdinaryUser_JailIsTheSameButForTheGroups()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return; // every other test of this folder is then this one
        }

        using WrappedJail started = WrappedJail.Start("/usr/bin/setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", WrappedJail.JailPath], JailedProbe.Spec(null));
        string[] lines = started.ReadUntilEnd();
        Assert.Contains("bounding 0", lines);
        JailReport report = started.ReadReport();
        Assert.Null(report.FailedStep);
        using ChildProcess child = ChildProcess.Adopt(report.Value);
        string status = File.ReadAllText($"/proc/{child.Pid}/status");
        Assert.Contains($"Uid:\t{Nobody}\t{Nobody}\t{Nobody}\t{Nobody}\n", status, StringComparison.Ordinal);
        Assert.Contains("CapEff:\t0000000000000000\n", status, StringComparison.Ordinal);
        started.Hold.Dispose();
        Assert.Equal(42, child.Wait().Code);
        Assert.Equal(0, started.Wrapper.Wait().ShellCode);
    }

    [Fact]
    public void Launcher_IsKilled_JailedProcessDies()
    {
        // The shell is the launcher here: it starts the stage and waits.
        using WrappedJail started = WrappedJail.Start("/bin/sh", ["-c", $"{WrappedJail.JailPath} & while :; do wait; read line </dev/null; done"], JailedProbe.Spec(Environment.IsPrivilegedProcess ? 3_000_018 : null));
        _ = started.ReadUntilEnd();
        Assert.Equal(0, started.Wrapper.Kill(9));
        Assert.Equal(9, started.Wrapper.Wait().Signal);
        // Only the jailed process still held this pipe.
        Assert.Equal(1, Poll.Wait(started.Output.Number, PollEvents.Readable, 10_000, out PollEvents found));
        Assert.Equal(PollEvents.HangUp, found);
    }
}
