using Sandbox.Groups;
using Sandbox.Linux;
using Sandbox.Testing.Filters;

namespace Sandbox.Confinement.Tests.Limits;

/// <summary>
/// Each rule of the keeper's filter is needed, down to each alternative: a copy of the real exe that lacks one dies by its filter on its way from
/// four groups made to four groups removed. In the tree of version 2, which has the files that end a group's processes.
/// </summary>
[Collection("processes")]
public sealed class KeeperRuleTests
{
    private const string Policy = "jail-keeper";
    private const string Name = "sandbox-test";
    private const int Groups = 4; // as many as there are numbers for
    private const int Stop = 19; // SIGSTOP
    private const int Continue = 18; // SIGCONT

    public static TheoryData<string> Cuts => [.. FilterCut.Of(Policy).Select(static cut => cut.Name)];

    [Fact]
    public void Keeper_WithEveryRule_RemovesItsGroups()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return; // makes no groups
        }

        using ChangedExe exe = new ChangedExe(Repository.Exe("sandbox-jail")).Write();
        Assert.Equal(new ExitStatus(0, 0), Run(exe.Path, out string[] remaining));
        Assert.Empty(remaining);
    }

    [Theory]
    [MemberData(nameof(Cuts))]
    public void Keeper_WithoutOneRule_EndsByTheFilter(string cut)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return; // makes no groups
        }

        using ChangedExe exe = new ChangedExe(Repository.Exe("sandbox-jail")).WithFilter(FilterCut.Find(Policy, cut)).Write();
        Assert.Equal(new ExitStatus(-1, 31), Run(exe.Path, out _)); // SIGSYS
    }

    // From start to end; while one group cannot be removed yet, the keeper is stopped and goes on in the middle of its sleep.
    private static ExitStatus Run(string executable, out string[] remaining)
    {
        string root = GroupHierarchy.Read(File.ReadAllLines("/proc/self/mountinfo"), File.ReadAllLines("/proc/self/cgroup")).Single(static tree => tree.IsVersion2).MountPoint;
        string[] folders = [.. Enumerable.Range(0, Groups).Select(index => Path.Join(root, $"sandbox-test-{Environment.ProcessId}-rule-{index}"))];
        string held = Path.Join(folders[0], Name, "held");
        try
        {
            Array.ForEach(folders, static folder => Directory.CreateDirectory(folder));
            using KeeperRun run = KeeperRun.Start([.. folders.Select(static folder => new ParentGroup(isVersion2: true, folder, []))], [Name], executable);
            run.WaitForWord(60_000);
            if (!HasEnded(run, 0))
            {
                Directory.CreateDirectory(held);
                run.CutLifeline();
                for (int tries = 0; tries < 20 && !HasEnded(run, 5); tries++)
                {
                    _ = run.Process.Kill(Stop);
                    _ = HasEnded(run, 5);
                    _ = run.Process.Kill(Continue);
                }

                Directory.Delete(held);
            }

            ExitStatus status = run.Process.Wait();
            remaining = [.. folders.Select(static folder => Path.Join(folder, Name)).Where(Directory.Exists)];
            return status;
        }
        finally
        {
            foreach (string path in (string[])[held, .. folders.Select(static folder => Path.Join(folder, Name)), .. folders])
            {
                _ = FolderEntry.TryRemoveFolder(path);
            }
        }
    }

    private static bool HasEnded(KeeperRun run, int milliseconds) => Poll.Wait(run.Process.PidFd.Number, PollEvents.Readable, milliseconds, out _) > 0;
}
