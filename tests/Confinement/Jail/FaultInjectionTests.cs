using Sandbox.Control.Jail;
using Sandbox.Linux;

namespace Sandbox.Confinement.Tests.Jail;

/// <summary>The shipped jail stage, stopped by a tracer at every one of its system calls: killed there, refused there, its launcher killed there.</summary>
[Collection("processes")]
public sealed class FaultInjectionTests
{
    private const int ReadAt = 17; // SYS_pread64: reads the specification, the first act of the stage itself
    private const int LeastCalls = 100;

    private static JailSpec Spec => TracedStart.Spec(Environment.IsPrivilegedProcess ? 3_000_019u : null);

    [Fact]
    public async Task Process_KilledAtEveryCall_LeavesNothing()
    {
        TracedStart whole = await Untouched();
        string mounts = File.ReadAllText("/proc/self/mountinfo");
        for (int index = 0; index <= LastIndex(whole); index++)
        {
            TracedStart killed = await TracedStart.RunAsync("kill", index, Spec);
            bool stageWasDone = killed is { HasSpoken: true, Status.Code: 42 }; // it had made the child, which announced itself
            bool childDied = killed is { HasSpoken: false, Status.Signal: 9 }; // the launcher was told its number, and could wait for it
            Assert.True(killed.Failure is not null || stageWasDone || childDied, $"call {index}: {killed}");
            Assert.True(killed.Failure is null || !killed.HasSpoken, $"call {index}: {killed}");
            Assert.Equal("", ChildProcesses.OfTheSpawner());
        }

        Assert.Equal(mounts, File.ReadAllText("/proc/self/mountinfo"));
    }

    [Fact]
    public async Task Call_EachOneRefused_StartsNoProgram()
    {
        TracedStart whole = await Untouched();
        int own = whole.Calls.First(call => call.Number == ReadAt).Index;
        int stageReport = whole.Calls.Last(call => !call.InChild).Index; // the child announces itself too
        int stageExit = stageReport + 1; // is made again until it ends the stage
        for (int index = 0; index <= LastIndex(whole); index++)
        {
            TracedStart refused = await TracedStart.RunAsync("fail", index, Spec);
            if (refused.HasSpoken && (index < own || index == stageReport || index == stageExit))
            {
                // The C library's beginning, before main: it may do without. The jail is the same.
                Assert.Equal(Steps(whole), Steps(refused));
                continue;
            }

            Assert.True(refused is { Failure: not null, HasSpoken: false }, $"call {index}: {refused}");
            Assert.Equal("", ChildProcesses.OfTheSpawner());
        }
    }

    [Fact]
    public async Task Launcher_KilledAtEveryCall_LeavesNothing()
    {
        TracedStart whole = await Untouched();
        for (int index = 0; index <= LastIndex(whole); index++)
        {
            OrphanedStart orphaned = OrphanedStart.Run(index, Spec);
            Assert.True(orphaned is { LauncherDied: true, NothingLeft: true, HasSpoken: false }, $"call {index}: {orphaned}");
        }

        // The witness itself: with its launcher alive, the same program speaks.
        Assert.True(OrphanedStart.Run(LastIndex(whole) + 1, Spec) is { LauncherDied: false, NothingLeft: true, HasSpoken: true });
    }

    private static async Task<TracedStart> Untouched()
    {
        TracedStart whole = await TracedStart.RunAsync("count", 0, Spec);
        Assert.Null(whole.Failure);
        Assert.Equal(new ExitStatus(42, 0), whole.Status);
        Assert.True(whole.Calls.Count >= LeastCalls, $"only {whole.Calls.Count} calls: is the stage still traced?");
        return whole;
    }

    // A call that does not return, the exec, is not in the list.
    private static int LastIndex(TracedStart whole) => whole.Calls[^1].Index + 1;

    private static IEnumerable<int> Steps(TracedStart start) =>
        start.Calls.SkipWhile(call => call.Number != ReadAt).Where(call => call.Number != SysExit).Select(call => call.Number);

    private const int SysExit = 231; // SYS_exit_group: in the list only when it was refused
}
