using Sandbox.Control.Launch;
using Sandbox.Launch;
using Sandbox.Linux;

namespace Sandbox.Runtime;

/// <summary>
/// A process of the microVM, seen from the launcher. Everything but <see cref="Ready"/> belongs to the watching thread until
/// that thread has ended the watch.
/// </summary>
internal sealed class WatchedProcess : IControlReceiver, IDisposable
{
    private const int ErrorTailBytes = 4096;
    private readonly TaskCompletionSource<Ready> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Action<PhaseReached> _phaseReached;

    /// <param name="name">The role and the device, for messages.</param>
    /// <param name="child">The process; taken over, as both fds are.</param>
    /// <param name="control">The launcher's end of the control socket.</param>
    /// <param name="errors">The reading end of its standard error.</param>
    /// <param name="phaseReached">Called on the watching thread.</param>
    public WatchedProcess(string name, ChildProcess child, FdHandle control, FdHandle errors, Action<PhaseReached> phaseReached)
    {
        (Name, Child, Control, Errors, _phaseReached) = (name, child, control, errors, phaseReached);
    }

    private WatchedProcess(string name, ChildProcess child, FdHandle errors, UserClaim? user)
    {
        (Name, Child, Errors, User, _phaseReached) = (name, child, errors, user, static _ => { });
        _ready.SetResult(default);
    }

    /// <summary>A program of the host that the microVM needs and that knows nothing of control sockets.</summary>
    public static WatchedProcess Helper(string name, ChildProcess child, FdHandle errors, UserClaim? user) => new(name, child, errors, user);

    public string Name { get; }

    /// <summary>When it was started, on the monotonic clock.</summary>
    public long StartedNanoseconds { get; } = MonotonicClock.Nanoseconds;

    public ChildProcess Child { get; }

    /// <summary>Null for a helper.</summary>
    public FdHandle? Control { get; }

    public FdHandle Errors { get; }

    /// <summary>The user number that it alone has; given back when it is gone. Null: it is this process's user.</summary>
    public UserClaim? User { get; init; }

    public ControlInbox Inbox { get; } = new();

    public TailBuffer ErrorTail { get; } = new(ErrorTailBytes);

    /// <summary>The process has its spec and its walls. Never faults: who waits for it waits for the end of the watch too.</summary>
    public Task<Ready> Ready => _ready.Task;

    /// <summary>Its last message, if it has sent one.</summary>
    public Ended? Ended { get; private set; }

    /// <summary>Of a device process that replaces another: what the VMM is to be given once the process is ready. Null after that.</summary>
    public FdHandle? Frontend { get; set; }

    /// <summary>Everything that it said on its control socket has been read.</summary>
    public bool IsControlDrained { get; set; }

    /// <summary>Everything that it said on its standard error has been read.</summary>
    public bool AreErrorsDrained { get; set; }

    /// <summary>How it ended; null while it runs.</summary>
    public ExitStatus? Status { get; set; }

    /// <summary>Makes its further connections; null: it may ask for none.</summary>
    public VsockConnector? Connector { get; set; }

    /// <summary>It was killed so that another takes its place.</summary>
    public bool IsRestarting { get; set; }

    /// <summary>It broke the messages of the control socket.</summary>
    public LaunchFault Fault { get; set; }

    void IControlReceiver.Received(Ready ready) => _ready.TrySetResult(ready);

    void IControlReceiver.Received(PhaseReached phase) => _phaseReached(phase);

    void IControlReceiver.Received(Ended ended) => Ended ??= ended;

    LaunchFault IControlReceiver.Received(VsockConnect connect) => Connector?.Ask(connect.Port, Control!.Number) ?? LaunchFault.WrongType;

    public void Dispose()
    {
        Child.Dispose();
        Control?.Dispose();
        Errors.Dispose();
        Frontend?.Dispose();
        User?.Dispose();
    }
}
