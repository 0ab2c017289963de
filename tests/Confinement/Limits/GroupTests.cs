using Sandbox.Confinement.Tests.Jail;
using Sandbox.Control.Jail;
using Sandbox.Groups;
using Sandbox.Linux;
using Xunit.Abstractions;

namespace Sandbox.Confinement.Tests.Limits;

/// <summary>Control groups on this machine's kernel, of whichever version it has, with the real keeper and a probe as the process that is limited.</summary>
[Collection("processes")]
public sealed class GroupTests(ITestOutputHelper output)
{
    private const long MemoryBytes = 24 << 20;
    private const int Threads = 6;

    private static readonly GroupLimits Limits = new(MemoryBytes, Threads, 50, null, []);

    [Fact]
    public async Task Process_InItsGroup_WasBornThere()
    {
        using TestGroup? group = await TestGroup.MakeAsync(Limits);
        if (group is null)
        {
            return; // only root makes groups here
        }

        using JailedProbe probe = await JailedProbe.StartAsync(Spec(group, "probe"), groups: group.Group.Entrances);
        string[] memberships = File.ReadAllLines($"/proc/{probe.Child.Pid}/cgroup");
        foreach (string path in group.Group.Paths)
        {
            Assert.Contains(memberships, line => line.EndsWith("/" + Path.GetFileName(path), StringComparison.Ordinal));
            Assert.Equal($"{probe.Child.Pid}\n", File.ReadAllText(Path.Join(path, "cgroup.procs")));
        }

        Assert.Equal(42, probe.Release().Code);
    }

    [Fact]
    public async Task Memory_BeyondTheLimit_EndsTheProcess()
    {
        using TestGroup? group = await TestGroup.MakeAsync(Limits);
        if (group is not null)
        {
            // It writes to ever more memory, and would say how much when it had 256 MiB.
            using JailedProbe probe = await JailedProbe.StartAsync(Spec(group, "probe", "eat"), groups: group.Group.Entrances);
            Assert.Equal(new ExitStatus(-1, 9), probe.Release());
            Assert.DoesNotContain("ate", probe.Findings.Keys);
            Assert.True(group.Group.RanOutOfMemory);
        }
    }

    [Fact]
    public async Task Threads_BeyondTheLimit_AreRefused()
    {
        using TestGroup? group = await TestGroup.MakeAsync(Limits);
        if (group is not null)
        {
            using JailedProbe probe = await JailedProbe.StartAsync(Spec(group, "probe", "fork"), groups: group.Group.Entrances);
            // Beside the probe itself the stage that it came from may still count.
            Assert.InRange(int.Parse(probe.Findings["forked"]), Threads - 2, Threads - 1);
            Assert.Equal(((int)Errno.EAGAIN).ToString(), probe.Findings["forkerror"]);
        }
    }

    [Fact]
    public async Task Keeper_Waiting_HoldsLittle()
    {
        using TestGroup? group = await TestGroup.MakeAsync(Limits);
        if (group is not null)
        {
            int keeper = group.Group.KeeperPid;
            string status = File.ReadAllText($"/proc/{keeper}/status");
            Assert.Contains($"\nCapEff:\t{(Environment.IsPrivilegedProcess ? 2 : 0):x16}\n", status, StringComparison.Ordinal); // CAP_DAC_OVERRIDE
            Assert.Contains("\nNoNewPrivs:\t1\n", status, StringComparison.Ordinal);
            Assert.Contains("\nThreads:\t1\n", status, StringComparison.Ordinal);
            Assert.DoesNotContain(Directory.GetFiles($"/proc/{keeper}/fd"), fd => int.Parse(Path.GetFileName(fd)) is > 0 and < JailFds.FirstGroup or >= JailFds.Status);
            string[] memory = File.ReadAllLines($"/proc/{keeper}/smaps_rollup");
            output.WriteLine(string.Join('\n', memory.Where(line => line.StartsWith("Rss", StringComparison.Ordinal) || line.StartsWith("Private_Dirty", StringComparison.Ordinal) || line.StartsWith("Pss:", StringComparison.Ordinal))));
        }
    }

    [Fact]
    public async Task Keeper_Killed_IsNoticedAndTheGroupIsRemovedAllTheSame()
    {
        using TestGroup? group = await TestGroup.MakeAsync(Limits);
        if (group is not null)
        {
            string[] paths = [.. group.Group.Paths];
            using ChildProcess keeper = ChildProcess.Adopt(group.Group.KeeperPid);
            Assert.Equal(0, keeper.Kill(9));
            await group.Group.KeeperEnded.WaitAsync(TimeSpan.FromSeconds(10));
            Assert.All(paths, path => Assert.True(Directory.Exists(path)));
            await group.Group.EndAsync();
            Assert.All(paths, path => Assert.False(Directory.Exists(path)));
        }
    }

    [Fact]
    public async Task Group_ThatIsThereAlready_IsNotTaken()
    {
        using TestGroup? group = await TestGroup.MakeAsync(Limits);
        if (group is not null)
        {
            // Who could guess the name could prepare the folder: then there is no sandbox.
            KeeperRun run = KeeperRun.Start(TestGroup.Parents(), [Path.GetFileName(group.Group.Paths.First())]);
            Assert.Equal(new JailReport(JailStep.MakeGroups, (int)Errno.EEXIST), run.Report());
            run.Dispose();
            Assert.All(group.Group.Paths, path => Assert.True(Directory.Exists(path)));
        }
    }

    private static JailSpec Spec(TestGroup group, params string[] arguments) => new()
    {
        UserId = Environment.IsPrivilegedProcess ? 3_000_021u : null,
        GroupId = Environment.IsPrivilegedProcess ? 3_000_021u : null,
        Fds = [0, 1, 2, 5],
        Arguments = arguments,
        GroupCount = group.Group.Entrances.Count,
    };
}
