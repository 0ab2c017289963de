using Sandbox.Control;
using Sandbox.Control.Jail;
using Sandbox.Control.Launch;
using Sandbox.Labels;
using Sandbox.Linux;
using Sandbox.Runtime;

namespace Sandbox.Launch;

/// <summary>Starts the processes of a microVM, each in a jail with exactly the fds it needs, and hands each its specification.</summary>
internal sealed class ProcessStarter : IDisposable
{
    private volatile bool _userNamespaces = true;

    private readonly FdHandle _nothing = FileOpen.ReadWrite("/dev/null");
    private readonly FdHandle _jail;
    private readonly SandboxSecurity _security;
    private readonly Action<PhaseReached> _phaseReached;

    /// <param name="jailPath">The exe of the jail stage.</param>
    /// <param name="security">The labels of the microVM.</param>
    /// <param name="phaseReached">Called on the watching thread when the VMM reports a milestone.</param>
    public ProcessStarter(string jailPath, SandboxSecurity security, Action<PhaseReached> phaseReached) =>
        (_jail, _security, _phaseReached) = (FileOpen.Read(jailPath), security, phaseReached);

    /// <summary>cgroup.procs of the control groups that every process is born in, borrowed. Default: none.</summary>
    public IReadOnlyList<FdHandle> Groups { get; init; } = [];

    /// <summary>Completes when the process runs its exe.</summary>
    /// <param name="argv">The name, which is for messages too, and what follows it.</param>
    /// <param name="executable">The exe to run inside the jail, borrowed.</param>
    /// <param name="fds">Its own fds, borrowed; standard streams and control socket are added here.</param>
    /// <param name="spec">The whole frame of its specification.</param>
    /// <param name="limits">What it may use of the host.</param>
    /// <param name="kind">Which device it will be; null: the VMM.</param>
    public async Task<WatchedProcess> StartAsync(
        IReadOnlyList<string> argv, FdHandle executable, IReadOnlyList<InheritedFd> fds, ReadOnlyMemory<byte> spec, ProcessLimits limits, DeviceKind? kind)
    {
        string name = argv[0];
        (FdHandle control, FdHandle childControl) = _security.CreateChannel();
        (FdHandle errors, FdHandle childErrors) = _security.CreatePipe();
        using (childControl)
        using (childErrors)
        {
            UserClaim? user = null;
            try
            {
                user = Environment.IsPrivilegedProcess ? UserClaim.Take() : null; // an ordinary user's processes stay that user's
                InheritedFd[] table = [new(0, _nothing), new(1, _nothing), new(2, childErrors), new(InheritedFds.Control, childControl), .. fds];
                ChildProcess child = await StartJailedAsync(argv, executable, table, limits, _security.ProcessLabel(kind), user?.Number, isDevice: kind is not null).ConfigureAwait(false);
                // The frame is far smaller than a socket's buffer: this cannot block. A process that is dead already is the watch's to report.
                _ = FdIo.WriteAll(control.Number, spec.Span);
                return new WatchedProcess(name, child, control, errors, _phaseReached) { User = user };
            }
            catch (Exception failure)
            {
                control.Dispose();
                errors.Dispose();
                user?.Dispose();
                throw failure switch
                {
                    JailException => new SandboxException(SandboxErrorKind.HostNotReady, failure.Message, failure),
                    LinuxException => new SandboxException(SandboxErrorKind.HostFailure, $"{name} could not be started: {failure.Message}", failure),
                    _ => failure,
                };
            }
        }
    }

    public void Dispose()
    {
        _nothing.Dispose();
        _jail.Dispose();
    }

    private async Task<ChildProcess> StartJailedAsync(IReadOnlyList<string> argv, FdHandle executable, InheritedFd[] table, ProcessLimits limits, string? label, uint? user, bool isDevice)
    {
        bool userNamespace = _userNamespaces;
        try
        {
            return await JailedSpawner.StartAsync(_jail, executable, table, Jail(argv, table, limits, label, user, userNamespace, isDevice), Groups).ConfigureAwait(false);
        }
        catch (JailException refused) when (userNamespace && refused.Step == JailStep.Unshare && Environment.IsPrivilegedProcess)
        {
            // A host may refuse user namespaces (sysctl, chroot). Root can raise every other wall without one; nobody else can.
            _userNamespaces = false;
            return await JailedSpawner.StartAsync(_jail, executable, table, Jail(argv, table, limits, label, user, userNamespace: false, isDevice), Groups).ConfigureAwait(false);
        }
    }

    private JailSpec Jail(IReadOnlyList<string> argv, InheritedFd[] table, ProcessLimits limits, string? label, uint? user, bool userNamespace, bool isDevice) =>
        new()
        {
            UserId = user,
            GroupId = user,
            UserNamespace = userNamespace,
            Label = label,
            Fds = Array.ConvertAll(table, static fd => fd.ChildNumber),
            Arguments = argv,
            MaxProcesses = limits.MaxThreads,
            MaxFileBytes = limits.MaxFileBytes,
            MaxAddressSpaceBytes = limits.MaxAddressSpaceBytes,
            GroupCount = Groups.Count,
            SmallPages = isDevice,
        };
}
