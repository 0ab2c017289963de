using Sandbox.Confinement.Tests.Jail;
using Sandbox.Groups;
using Sandbox.Linux;

namespace Sandbox.Confinement.Tests.Limits;

/// <summary>The keeper of a control group, with its launcher killed at every one of its system calls, and with every one refused.</summary>
[Collection("processes")]
public sealed class KeeperFaultTests
{
    private const int PatienceMilliseconds = 10_000;

    [Fact]
    public void Launcher_KilledAtEveryCallOfTheKeeper_NoGroupRemains() => RunWithEveryCall("die");

    [Fact]
    public void Call_EachOneRefused_NoGroupRemains() => RunWithEveryCall("fail");

    private static void RunWithEveryCall(string mode)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return; // makes no groups
        }

        List<ParentGroup> parents = TestGroup.Parents();
        int calls = 0;
        while (Run(mode, calls, parents))
        {
            calls++;
        }

        Assert.InRange(calls, 50, 500);
    }

    // One run up to the keeper's end. False when no call had that number.
    private static bool Run(string mode, int index, List<ParentGroup> parents)
    {
        string name = $"sandbox-test-{Environment.ProcessId}-{mode}-{index}";
        (FdHandle trace, FdHandle tracersTrace) = Pipe.Create();
        using (trace)
        {
            KeeperRun run = KeeperRun.StartTraced(mode, index, parents, name, tracersTrace);
            tracersTrace.Dispose();
            if (mode == "fail")
            {
                // The keeper says that it is ready, or that it is not, or nothing; then its launcher goes.
                run.WaitForWord(PatienceMilliseconds);
                _ = run.Process.Kill(9);
            }
            else if (Poll.Wait(run.Process.PidFd.Number, PollEvents.Readable, PatienceMilliseconds / 20, out _) == 0)
            {
                _ = run.Process.Kill(9); // it sleeps: no call had that number
            }

            string traced = TracedStart.ReadToEnd(trace);
            Assert.True(run.WaitUntilGone(PatienceMilliseconds), $"{mode} {index}: the keeper is still there");
            run.Dispose();
            bool happened = mode == "fail" ? traced.Contains("refused\n", StringComparison.Ordinal) : traced.Contains("dies\n", StringComparison.Ordinal);
            foreach (string path in parents.Select(parent => Path.Join(parent.Path, name)))
            {
                Assert.False(Directory.Exists(path), $"{mode} {index}: {path} remains");
            }

            return happened;
        }
    }
}
