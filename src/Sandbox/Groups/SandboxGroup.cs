using System.Globalization;
using Sandbox.Linux;

namespace Sandbox.Groups;

/// <summary>
/// The control groups of one microVM and their keeper: a process of sandbox-jail that makes them, outlives this one however it ends, and removes them
/// (Sandbox.Jail/GroupKeeper.cs). It is the only thing of a microVM that outlives its launcher, by milliseconds.
/// </summary>
internal sealed class SandboxGroup : IDisposable
{
    private readonly GroupKeeperProcess _keeper;
    private readonly List<ParentGroup> _parents;
    private readonly string _name;
    private readonly List<FdHandle> _entrances = [];
    private long _killsBefore;
    private long _limitReachedBefore;

    private SandboxGroup(GroupKeeperProcess keeper, List<ParentGroup> parents, string name) => (_keeper, _parents, _name) = (keeper, parents, name);

    /// <summary>Why a microVM is ended whose keeper is gone: nobody would remove its groups if the launcher died now.</summary>
    public static SandboxException KeeperLost => new(SandboxErrorKind.HostFailure, "the keeper of the microVM's control groups was killed; the microVM was ended");

    /// <summary>Why a microVM ended of which the kernel killed processes for memory: at its own limit, or because the host or a group above had none left.</summary>
    public SandboxException OutOfMemory => new(
        SandboxErrorKind.HostFailure,
        LimitReached() > _limitReachedBefore
            ? "the microVM's processes reached the memory limit of their control group on the host and were killed; give --memory-limit more"
            : "the host, or a control group above the microVM's, ran out of memory, and the kernel killed processes of the microVM; give it more or run fewer");

    /// <summary>cgroup.procs of each group, for writing: a process that writes "0" there is in the group.</summary>
    public IReadOnlyList<FdHandle> Entrances => _entrances;

    /// <summary>Completes when the keeper has ended, which before <see cref="End"/> means that somebody killed it.</summary>
    public Task KeeperEnded => _keeper.Ended;

    /// <summary>The keeper's number, for a report.</summary>
    public int KeeperPid => _keeper.Pid;

    /// <summary>The folders.</summary>
    public List<string> Paths => _parents.ConvertAll(parent => Path.Join(parent.Path, _name));

    /// <summary>Whether the kernel ended a process of it for want of memory, by whatever limit (<see cref="OutOfMemory"/> tells). Only before <see cref="End"/>.</summary>
    public bool RanOutOfMemory => KillsForMemory() > _killsBefore;

    /// <summary>Makes an empty group in each of the parents; that a process can enter them has been tried when it returns.</summary>
    /// <param name="jail">The opened sandbox-jail, borrowed.</param>
    /// <param name="parents">Where.</param>
    /// <param name="label">The SELinux label of the keeper; null: what the policy gives by itself.</param>
    /// <exception cref="LinuxException">They cannot be made, or not entered: not permitted, most often. Nothing is left.</exception>
    public static SandboxGroup Make(FdHandle jail, List<ParentGroup> parents, string? label)
    {
        // The random part: a name that nobody could have taken before us.
        string name = $"sandbox-{Environment.ProcessId}-{Convert.ToHexStringLower(HostRandom.Bytes(8))}";
        GroupKeeperProcess keeper = GroupKeeperProcess.Start(jail, parents, name, label);
        SandboxGroup group = new(keeper, parents, name);
        try
        {
            keeper.WaitUntilMade();
            return group;
        }
        catch (LinuxException failure)
        {
            // It has removed what it had made, unless it was killed. If the name was taken, that folder is a stranger's and stays.
            if (failure.Errno == Errno.EEXIST)
            {
                keeper.End();
            }
            else
            {
                group.End();
            }

            group.Dispose();
            throw;
        }
    }

    /// <summary>Writes the limits and opens the entrances.</summary>
    /// <param name="limits">Of the microVM.</param>
    /// <param name="refused">Gets each controller whose limit cannot be set.</param>
    /// <exception cref="LinuxException">An entrance cannot be opened.</exception>
    public void Limit(GroupLimits limits, RefusedLimits refused)
    {
        foreach (ParentGroup parent in _parents)
        {
            string group = Path.Join(parent.Path, _name);
            foreach (GroupSetting setting in parent.IsVersion2 ? limits.ForVersion2() : limits.ForVersion1())
            {
                if (parent.Controllers.Contains(setting.Controller) && KernelText.TryWrite(Path.Join(group, setting.File), setting.Value) is { } failure && !setting.MayLack)
                {
                    refused.Add(setting.Controller, failure);
                }
            }

            _entrances.Add(FileOpen.Write(Path.Join(group, "cgroup.procs")));
        }

        _killsBefore = KillsForMemory();
        _limitReachedBefore = LimitReached();
    }

    /// <summary>Moves a running child of this process into the groups: a program of the host that knows nothing of them.</summary>
    /// <exception cref="LinuxException">It cannot be moved.</exception>
    public void Add(ChildProcess child)
    {
        foreach (FdHandle entrance in _entrances)
        {
            int result = FdIo.WriteAll(entrance.Number, System.Text.Encoding.ASCII.GetBytes(child.Pid.ToString(CultureInfo.InvariantCulture)));
            if (result != -(int)Errno.ESRCH) // it has ended, and will be found so
            {
                _ = LinuxException.Check(result, "move a process into the microVM's control group");
            }
        }
    }

    /// <summary>Returns when the groups are gone. The microVM's processes must have ended.</summary>
    public void End()
    {
        _keeper.End();
        foreach (string path in Paths)
        {
            // There only if the keeper was killed. If it cannot be removed, a process in it has not ended, or the folder above is no longer ours to write:
            // nothing more can be done.
            _ = FolderEntry.TryRemoveFolder(path);
        }
    }

    public void Dispose()
    {
        _keeper.Dispose();
        foreach (FdHandle entrance in _entrances)
        {
            entrance.Dispose();
        }
    }

    // A line "oom_kill N" in both versions: killed by whatever limit it was.
    private long KillsForMemory() => Count("memory.events", "memory.oom_control", "oom_kill ");

    // How often the group's own limit stood in the way: "oom N" of version 2; of version 1 a file with nothing but a number, which reclaiming counts up too.
    private long LimitReached() => Count("memory.events", "memory.failcnt", "oom ");

    private long Count(string file2, string file1, string key)
    {
        long sum = 0;
        foreach (ParentGroup parent in _parents)
        {
            // Of version 1, the trees that do not limit memory have no such file.
            foreach (string line in KernelText.Lines(Path.Join(parent.Path, _name, parent.IsVersion2 ? file2 : file1)))
            {
                string number = line.StartsWith(key, StringComparison.Ordinal) ? line.Substring(key.Length) : line;
                sum += long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out long count) ? count : 0;
            }
        }

        return sum;
    }
}
