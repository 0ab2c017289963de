using Sandbox.Control.Jail;
using Sandbox.Labels;
using Sandbox.Launch;
using Sandbox.Linux;

namespace Sandbox.Groups;

/// <summary>The process that makes and removes a microVM's control groups, seen from the launcher, which holds the pipe that it sleeps on.</summary>
internal sealed class GroupKeeperProcess : IDisposable
{
    private const int ThreadStackBytes = 128 * 1024;
    private const int Killed = 9; // SIGKILL

    /// <summary>It waits a minute for a group to become empty; one that takes longer has been stopped by somebody.</summary>
    private const int PatienceMilliseconds = 90_000;

    private readonly ChildProcess _process;
    private readonly FdHandle _lifeline;
    private readonly FdHandle _reports;
    private readonly string? _label;
    private readonly string _places;
    private readonly Thread _watch;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private GroupKeeperProcess(ChildProcess process, FdHandle lifeline, FdHandle reports, string? label, List<ParentGroup> parents)
    {
        (_process, _lifeline, _reports, _label) = (process, lifeline, reports, label);
        _places = string.Join(", ", parents.ConvertAll(static parent => parent.Path));
        _watch = new Thread(Watch, ThreadStackBytes) { IsBackground = true, Name = "sandbox keeper" };
        _watch.Start();
    }

    public int Pid => _process.Pid;

    /// <summary>Completes when it has ended.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Starts it; it goes on to make a group of that name in each of the parents.</summary>
    /// <exception cref="LinuxException">A parent cannot be opened, or the keeper could not be started.</exception>
    public static GroupKeeperProcess Start(FdHandle jail, List<ParentGroup> parents, string name, string? label)
    {
        List<FdHandle> lent = [];
        List<FdHandle> kept = [];
        try
        {
            (FdHandle childLifeline, FdHandle lifeline) = Pipe.Create();
            lent.Add(childLifeline);
            kept.Add(lifeline);
            (FdHandle reports, FdHandle childReports) = CredentialSocket.CreatePair();
            lent.Add(childReports);
            kept.Add(reports);
            FdHandle nothing = FileOpen.ReadWrite("/dev/null");
            lent.Add(nothing);
            FdHandle specFile = MemFd.Create("keeper-spec");
            lent.Add(specFile);
            // Standard output and error are there for the C library, which in its secure mode (SELinux) begins with none of the three missing; closed at once.
            List<InheritedFd> fds = [new(0, childLifeline), new(1, nothing), new(2, nothing), new(JailFds.Status, childReports), new(JailFds.Spec, specFile)];
            bool overridesModes = false;
            for (int index = 0; index < parents.Count; index++)
            {
                ControlGroupFolder folder = ControlGroupFolder.Open(parents[index].Path);
                lent.Add(folder.Handle);
                fds.Add(new(JailFds.FirstGroup + index, folder.Handle)); // makes and removes the groups in it
                overridesModes |= !folder.IsWritableForItsOwner;
            }

            if (label is not null)
            {
                fds.Add(new(JailFds.Executable, jail)); // executes itself once more, for the label
            }

            JailSpec spec = new()
            {
                KeepsGroups = true,
                GroupCount = parents.Count,
                OverridesModes = overridesModes,
                Label = label,
                Fds = [0],
                Arguments = [name],
                MaxFileBytes = 0,
            };
            LinuxException.Check(FdIo.WriteAll(specFile.Number, spec.Encode()), "write keeper spec");
            ChildProcess process = Spawner.Spawn(new SpawnSpec { Executable = jail, Arguments = ["sandbox-keeper"], Fds = fds });
            kept.Clear();
            return new GroupKeeperProcess(process, lifeline, reports, label, parents);
        }
        finally
        {
            foreach (FdHandle fd in (List<FdHandle>)[.. lent, .. kept]) // the socket's child end among them, or its end would not be seen
            {
                fd.Dispose();
            }
        }
    }

    /// <summary>Returns when the groups are there and a process can enter them.</summary>
    /// <exception cref="LinuxException">Not so; what had been made has been removed.</exception>
    public void WaitUntilMade()
    {
        if (Poll.Wait(_reports.Number, PollEvents.Readable, PatienceMilliseconds, out _) == 0)
        {
            throw new LinuxException("the keeper of the control groups does not come to its end: it, or the group it is in, has been stopped", Errno.ETIMEDOUT);
        }

        Span<byte> message = stackalloc byte[JailReport.Bytes];
        int count = LinuxException.Check(CredentialSocket.Receive(_reports.Number, message, out _), "read keeper report");
        if (count != JailReport.Bytes)
        {
            throw new LinuxException("the keeper of the control groups said nothing", Errno.EPROTO);
        }

        if (JailReport.Decode(message) is { FailedStep: JailStep step, Value: int error })
        {
            throw new LinuxException(
                step switch
                {
                    JailStep.MakeGroups => $"make a control group in {_places}",
                    JailStep.EnterGroups => $"move a process into a control group made in {_places}",
                    _ => $"keeper of control groups, step {step}",
                },
                (Errno)error);
        }

        if (_label is not null && !LabelsInUse.Becomes(Pid, _label))
        {
            throw new LinuxException($"the keeper of the control groups did not get the SELinux label {_label}", Errno.EPROTO);
        }
    }

    /// <summary>Lets it remove the groups, and returns when it has ended.</summary>
    public void End()
    {
        _lifeline.Dispose();
        if (!_watch.Join(PatienceMilliseconds))
        {
            _ = _process.Kill(Killed);
            _watch.Join();
        }
    }

    public void Dispose()
    {
        _lifeline.Dispose();
        _reports.Dispose();
        _process.Dispose();
    }

    private void Watch()
    {
        _ = _process.Wait();
        _ended.SetResult();
    }
}
