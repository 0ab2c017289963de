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
        using TestGroup? group = TestGroup.Make(Limits);
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
        using TestGroup? group = TestGroup.Make(Limits);
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
        using TestGroup? group = TestGroup.Make(Limits);
        if (group is not null)
        {
            using JailedProbe probe = await JailedProbe.StartAsync(Spec(group, "probe", "fork"), groups: group.Group.Entrances);
            // Beside the probe itself the stage that it came from may still count.
            Assert.InRange(int.Parse(probe.Findings["forked"]), Threads - 2, Threads - 1);
            Assert.Equal(((int)Errno.EAGAIN).ToString(), probe.Findings["forkerror"]);
        }
    }

    [Fact]
    public void Keeper_Waiting_HoldsLittle()
    {
        using TestGroup? group = TestGroup.Make(Limits);
        if (group is not null)
        {
            int keeper = group.Group.KeeperPid;
            // CAP_DAC_OVERRIDE, if a parent is the topmost folder of a tree.
            bool overrides = group.Group.Paths.Exists(path => !IsWritableForItsOwner(Path.GetDirectoryName(path)!));
            Assert.Contains($"\nCapEff:\t{(overrides ? 2 : 0):x16}\n", File.ReadAllText($"/proc/{keeper}/status"), StringComparison.Ordinal);
            AssertIsConfined(keeper);
            Assert.Empty(File.ReadAllBytes($"/proc/{keeper}/environ"));
            Assert.Equal("sandbox-keeper\0", File.ReadAllText($"/proc/{keeper}/cmdline"));
            // It tells us and closes that socket a moment later.
            Assert.True(SpinWait.SpinUntil(() => !File.Exists($"/proc/{keeper}/fd/{JailFds.Status}"), TimeSpan.FromSeconds(60)));
            List<int> fds = [.. Directory.GetFileSystemEntries($"/proc/{keeper}/fd").Select(fd => int.Parse(Path.GetFileName(fd)))];
            Assert.Equal([0, .. group.Group.Paths.Select((_, index) => JailFds.FirstGroup + index)], fds.Where(fd => fd < JailFds.FirstGroup + JailFds.MaxGroups).Order());
            Assert.DoesNotContain(fds, fd => fd >= JailFds.Status); // between the two: cgroup.kill
            string[] memory = File.ReadAllLines($"/proc/{keeper}/smaps_rollup");
            output.WriteLine(string.Join('\n', memory.Where(line => line.StartsWith("Rss", StringComparison.Ordinal) || line.StartsWith("Private_", StringComparison.Ordinal) || line.StartsWith("Pss:", StringComparison.Ordinal))));
            // 88 to 96: where on its page the stack begins is chance.
            Assert.InRange(memory.Where(line => line.StartsWith("Private_Dirty", StringComparison.Ordinal)).Sum(line => int.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1])), 1, 96); // KiB
        }
    }

    [Fact]
    public void Keeper_InAFolderThatItsOwnerMayWrite_HasNoCapability()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return; // only root makes groups here
        }

        List<string> folders = TestGroup.Parents().ConvertAll(parent => Path.Join(parent.Path, $"sandbox-test-{Environment.ProcessId}-parent"));
        folders.ForEach(folder => Directory.CreateDirectory(folder));
        try
        {
            using (TestGroup group = TestGroup.Make(Limits, TestGroup.ParentsIn(folders))!)
            {
                int keeper = group.Group.KeeperPid;
                Assert.Contains("\nCapEff:\t0000000000000000\n", File.ReadAllText($"/proc/{keeper}/status"), StringComparison.Ordinal);
                AssertIsConfined(keeper);
            }
        }
        finally
        {
            folders.ForEach(Directory.Delete); // the keeper has removed what was in them
        }
    }

    /// <summary>Whose groups cannot be entered does without, where no limit was asked for; else nothing starts.</summary>
    [Fact]
    public void Group_ThatCannotBeEntered_IsDoneWithoutOrRefused()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return; // only root makes groups here
        }

        // In the place of sandbox-jail, one that always says so: no tree of this machine refuses it to root.
        using FdHandle keeper = FileOpen.Read(CProgram.Refuser);
        List<string> unenforced = [];
        Assert.Null(GroupSetup.Make(keeper, new HostLimitOptions(), Limits, label: null, unenforced));
        Assert.Matches("^no limit is held for memory, threads, processors: move a process into a control group made in .*: permission denied \\(EACCES\\)$", Assert.Single(unenforced));
        SandboxException refused = Assert.Throws<SandboxException>(() => GroupSetup.Make(keeper, new HostLimitOptions { Threads = Threads }, Limits, label: null, unenforced));
        Assert.Equal(SandboxErrorKind.HostNotReady, refused.Kind);
        Assert.Matches("^the limit for threads is not held: move a process into a control group made in .*; run as root, or", refused.Message);
    }

    [Fact]
    public async Task Keeper_Killed_IsNoticedAndTheGroupIsRemovedAllTheSame()
    {
        using TestGroup? group = TestGroup.Make(Limits);
        if (group is not null)
        {
            string[] paths = [.. group.Group.Paths];
            using ChildProcess keeper = ChildProcess.Adopt(group.Group.KeeperPid);
            Assert.Equal(0, keeper.Kill(9));
            await group.Group.KeeperEnded.WaitAsync(TimeSpan.FromSeconds(10));
            Assert.All(paths, path => Assert.True(Directory.Exists(path)));
            group.Group.End();
            Assert.All(paths, path => Assert.False(Directory.Exists(path)));
        }
    }

    [Fact]
    public void Group_ThatIsThereAlready_IsNotTaken()
    {
        using TestGroup? group = TestGroup.Make(Limits);
        if (group is not null)
        {
            // Who could guess the name could prepare the folder: then there is no sandbox.
            KeeperRun run = KeeperRun.Start(TestGroup.Parents(), [Path.GetFileName(group.Group.Paths.First())]);
            Assert.Equal(new JailReport(JailStep.MakeGroups, (int)Errno.EEXIST), run.Report());
            run.Dispose();
            Assert.All(group.Group.Paths, path => Assert.True(Directory.Exists(path)));
        }
    }

    private static bool IsWritableForItsOwner(string folder)
    {
        ControlGroupFolder opened = ControlGroupFolder.Open(folder);
        using (opened.Handle)
        {
            return opened.IsWritableForItsOwner;
        }
    }

    private static void AssertIsConfined(int keeper)
    {
        string status = File.ReadAllText($"/proc/{keeper}/status");
        foreach (string line in (string[])["CapInh:\t0000000000000000", "CapBnd:\t0000000000000000", "CapAmb:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2", "Threads:\t1"])
        {
            Assert.Contains($"\n{line}\n", status, StringComparison.Ordinal);
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
