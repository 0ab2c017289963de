using Sandbox.Control.Jail;
using Sandbox.Launch;
using Sandbox.Linux;

namespace Sandbox.Groups;

/// <summary>
/// The control groups of one microVM and their keeper: a process of sandbox-jail that makes them, outlives this one however it ends, and removes them
/// (Sandbox.Jail/GroupKeeper.cs). It is the only thing of a microVM that outlives its launcher, by milliseconds.
/// </summary>
internal sealed class SandboxGroup : IDisposable
{
    private const int ThreadStackBytes = 128 * 1024;

    private readonly ChildProcess _keeper;
    private readonly FdHandle _lifeline;
    private readonly List<ParentGroup> _parents;
    private readonly string _name;
    private readonly List<FdHandle> _entrances = [];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private SandboxGroup(ChildProcess keeper, FdHandle lifeline, List<ParentGroup> parents, string name) =>
        (_keeper, _lifeline, _parents, _name) = (keeper, lifeline, parents, name);

    /// <summary>Why a microVM is ended whose keeper is gone: nobody would remove its groups if the launcher died now.</summary>
    public static SandboxException KeeperLost => new(SandboxErrorKind.HostFailure, "the keeper of the microVM's control groups was killed; the microVM was ended");

    /// <summary>Why a microVM ended that the kernel held to its memory.</summary>
    public static SandboxException OutOfMemory => new(
        SandboxErrorKind.HostFailure, "the microVM's processes reached the memory limit of their control group on the host and were killed; give --memory-limit more");

    /// <summary>cgroup.procs of each group, for writing: a process that writes "0" there is in the group.</summary>
    public IReadOnlyList<FdHandle> Entrances => _entrances;

    /// <summary>Completes when the keeper has ended, which before <see cref="EndAsync()"/> means that somebody killed it.</summary>
    public Task KeeperEnded => _ended.Task;

    /// <summary>The keeper's number, for a report.</summary>
    public int KeeperPid => _keeper.Pid;

    /// <summary>The folders.</summary>
    public List<string> Paths => _parents.ConvertAll(parent => Path.Join(parent.Path, _name));

    /// <summary>Makes an empty group in each of the parents.</summary>
    /// <exception cref="JailException">The keeper could not make them: not permitted, most often.</exception>
    /// <exception cref="LinuxException">A parent cannot be opened, or the keeper could not be started.</exception>
    public static async Task<SandboxGroup> MakeAsync(FdHandle jail, List<ParentGroup> parents)
    {
        // The random part: a name that nobody could have taken before us.
        string name = $"sandbox-{Environment.ProcessId}-{Convert.ToHexStringLower(HostRandom.Bytes(8))}";
        JailSpec spec = new() { KeepsGroups = true, GroupCount = parents.Count, Fds = [0], Arguments = [name], MaxProcesses = 1, MaxFileBytes = 0 };
        List<FdHandle> lent = [];
        (FdHandle childLifeline, FdHandle lifeline) = Pipe.Create();
        try
        {
            lent.Add(childLifeline);
            FdHandle specFile = MemFd.Create("keeper-spec");
            lent.Add(specFile);
            LinuxException.Check(FdIo.WriteAll(specFile.Number, spec.Encode()), "write keeper spec");
            (FdHandle reports, FdHandle childReports) = CredentialSocket.CreatePair();
            lent.Add(childReports);
            using (reports)
            {
                List<InheritedFd> fds = [new(0, childLifeline), new(JailFds.Status, childReports), new(JailFds.Spec, specFile)];
                foreach (ParentGroup parent in parents)
                {
                    FdHandle folder = ControlGroupFolder.Open(parent.Path);
                    lent.Add(folder);
                    fds.Add(new(JailFds.FirstGroup + fds.Count - 3, folder)); // makes and removes the groups in it
                }

                ChildProcess keeper = await Spawner.SpawnAsync(new SpawnSpec { Executable = jail, Arguments = ["sandbox-jail"], Fds = fds }).ConfigureAwait(false);
                childReports.Dispose(); // or its end would not be seen
                SandboxGroup group = new(keeper, lifeline, parents, name);
                new Thread(group.WatchKeeper, ThreadStackBytes) { IsBackground = true, Name = "sandbox keeper" }.Start();
                try
                {
                    await Task.Run(() => WaitUntilMade(reports)).ConfigureAwait(false);
                    return group;
                }
                catch
                {
                    await EndAsync(group).ConfigureAwait(false);
                    throw;
                }
            }
        }
        catch
        {
            lifeline.Dispose();
            throw;
        }
        finally
        {
            foreach (FdHandle fd in lent)
            {
                fd.Dispose();
            }
        }
    }

    /// <summary>Writes the limits and opens the entrances.</summary>
    /// <returns>For each controller whose limit cannot be set: why.</returns>
    public Dictionary<GroupController, string> Limit(GroupLimits limits)
    {
        Dictionary<GroupController, string> refused = [];
        foreach (ParentGroup parent in _parents)
        {
            string group = Path.Join(parent.Path, _name);
            foreach (GroupSetting setting in parent.IsVersion2 ? limits.ForVersion2() : limits.ForVersion1())
            {
                if (parent.Controllers.Contains(setting.Controller) && TryWrite(Path.Join(group, setting.File), setting.Value) is { } failure && !setting.MayLack)
                {
                    refused[setting.Controller] = failure;
                }
            }

            _entrances.Add(FileOpen.Write(Path.Join(group, "cgroup.procs")));
        }

        return refused;
    }

    /// <summary>Whether the kernel ended a process of it because the group was at its memory limit. Only before <see cref="EndAsync()"/>.</summary>
    public bool RanOutOfMemory => _parents.Exists(parent => CountsKills(Path.Join(parent.Path, _name, parent.IsVersion2 ? "memory.events" : "memory.oom_control")));

    /// <summary>Completes when the groups are gone. The microVM's processes must have ended.</summary>
    public async Task EndAsync()
    {
        _lifeline.Dispose();
        await _ended.Task.ConfigureAwait(false);
        foreach (string path in Paths.FindAll(Directory.Exists))
        {
            // Only if the keeper was killed.
            try
            {
                Directory.Delete(path);
            }
            catch (IOException)
            {
                // A process in it has not ended; nothing more can be done.
            }
        }
    }

    /// <summary>The same, and what was held for it is given back. Null: nothing to do.</summary>
    public static async Task EndAsync(SandboxGroup? group)
    {
        if (group is not null)
        {
            await group.EndAsync().ConfigureAwait(false);
            group.Dispose();
        }
    }

    public void Dispose()
    {
        _lifeline.Dispose();
        _keeper.Dispose();
        foreach (FdHandle entrance in _entrances)
        {
            entrance.Dispose();
        }
    }

    // A line "oom_kill N" in both versions.
    private static bool CountsKills(string path)
    {
        try
        {
            return Array.Exists(File.ReadAllLines(path), static line => line.StartsWith("oom_kill ", StringComparison.Ordinal) && line != "oom_kill 0");
        }
        catch (IOException)
        {
            return false; // not the tree that limits memory
        }
    }

    private void WatchKeeper()
    {
        _ = _keeper.Wait();
        _ended.SetResult();
    }

    private static void WaitUntilMade(FdHandle reports)
    {
        Span<byte> message = stackalloc byte[JailReport.Bytes];
        int count = LinuxException.Check(CredentialSocket.Receive(reports.Number, message, out _), "read keeper report");
        if (count != JailReport.Bytes)
        {
            throw new LinuxException("the keeper of the control groups said nothing", Errno.EPROTO);
        }

        if (JailReport.Decode(message) is { FailedStep: JailStep step, Value: int error })
        {
            throw new JailException("control groups", step, (Errno)error);
        }
    }

    private static string? TryWrite(string path, string value)
    {
        try
        {
            using FdHandle file = FileOpen.Write(path);
            int result = FdIo.WriteAll(file.Number, System.Text.Encoding.ASCII.GetBytes(value));
            return result < 0 ? $"{path} does not take \"{value}\" ({(Errno)(-result)})" : null;
        }
        catch (LinuxException failure)
        {
            return failure.Message;
        }
    }
}
