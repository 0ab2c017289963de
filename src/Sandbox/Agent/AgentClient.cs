using Sandbox.Control.Agent;
using Sandbox.Linux;

namespace Sandbox.Agent;

/// <summary>
/// The host's end of the agent connection: one thread receives, one sends, everybody else works on the session and the queue under
/// <see cref="Gate"/>. Threads of its own and blocking calls: no hop between thread pools for each frame, and none of the application's is taken. The guest's every frame is judged by <see cref="HostSession"/>; its first fault ends the connection.
/// </summary>
internal sealed class AgentClient : IDisposable
{
    private readonly FdHandle _connection;
    private readonly HostSession _session = new();
    private readonly FrameQueue _queue = new();
#pragma warning disable CA2213 // Both belong to the two threads: the last of them disposes them.
    private readonly SemaphoreSlim _queueChanged = new(0);
#pragma warning restore CA2213
    private readonly Dictionary<uint, GuestProcess> _processes = [];
    private readonly TaskCompletionSource<ReadyMessage> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _hello = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _shutdownDone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<SandboxException> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Func<ConfigureMessage> _configure;
    private const int ThreadCount = 2;

    private bool _broken;
    private int _endedThreads;

    /// <param name="connection">The launcher's end of the socket that the vsock device joins with the guest's connection; taken over.</param>
    /// <param name="configure">Makes the answer to the guest's Hello at that moment: it carries the time of day.</param>
    public AgentClient(FdHandle connection, Func<ConfigureMessage> configure)
    {
        _configure = configure;
        _connection = connection;
    }

    /// <summary>Guards the session, the queue and the state of every <see cref="GuestProcess"/>.</summary>
    public Lock Gate { get; } = new();

    /// <summary>Pulsed when the queue has been emptied, for writers that wait for room.</summary>
    public AsyncCondition QueueEmptied { get; } = new();

    /// <summary>Why the microVM is over; null while it lives. Read under <see cref="Gate"/>.</summary>
    public SandboxException? Failure { get; private set; }

    /// <summary>The guest's agent has connected.</summary>
    public Task Hello => _hello.Task;

    /// <summary>The guest's root is in place and commands may come.</summary>
    public Task<ReadyMessage> Ready => _ready.Task;

    /// <summary>The guest has put its file systems in order and goes off.</summary>
    public Task ShutdownDone => _shutdownDone.Task;

    /// <summary>Completes when the connection is over, with what is known of it here. Never faults.</summary>
    public Task<SandboxException> Ended => _ended.Task;

    public void Start()
    {
        new Thread(Receive) { IsBackground = true, Name = "sandbox receive" }.Start();
        new Thread(Send) { IsBackground = true, Name = "sandbox send" }.Start();
    }

    /// <summary>Asks for a command; the task completes when the guest has started it.</summary>
    public async Task<GuestProcess> ExecAsync(ExecOptions options, IReadOnlyList<string> environment, CancellationToken cancellationToken)
    {
        GuestProcess process = Begin(options, environment);
        try
        {
            await process.Started.WaitAsync(cancellationToken).ConfigureAwait(false);
            return process;
        }
        catch (OperationCanceledException)
        {
            process.Abandon();
            throw;
        }
    }

    /// <summary>Asks for a command and does not wait for its start.</summary>
    internal GuestProcess Begin(ExecOptions options, IReadOnlyList<string> environment)
    {
        lock (Gate)
        {
            ThrowIfOver();
            HostCommand command = _session.Begin(options.WithStandardInput) ?? throw new SandboxException(
                SandboxErrorKind.InvalidOption, $"{AgentLimits.MaxLiveCommands} commands run in the guest already; wait for one to end");
            ExecMessage message = new(command.Id, options.Command, environment, options.WorkingDirectory, options.WithStandardInput, TerminalOf(options));
            AgentFault fault = message.Encode(_queue.Room(AgentLimits.MaxFrameBytes), out int bytes);
            if (fault != AgentFault.None)
            {
                _session.Abandon(command);
                throw new SandboxException(
                    SandboxErrorKind.InvalidOption,
                    $"the command's arguments or environment are too large ({fault}); give at most {AgentLimits.MaxListItems} items and {AgentLimits.MaxListBytes} bytes of each");
            }

            GuestProcess process = new(this, command, options);
            _processes.Add(command.Id, process);
            Judge(AgentMessageType.Exec);
            Append(bytes);
            return process;
        }
    }

    private static AgentTerminal? TerminalOf(ExecOptions options) => options.Terminal is { } size ? new AgentTerminal(size.Rows, size.Columns) : null;

    /// <summary>Asks the guest to end everything and power off. False when the connection is over already.</summary>
    public bool TryShutdown()
    {
        lock (Gate)
        {
            if (Failure is not null || !_session.TrySend(AgentMessageType.Shutdown))
            {
                return false;
            }

            Append(EmptyMessage.Encode(_queue.Room(AgentLimits.HeaderBytes), AgentMessageType.Shutdown));
            return true;
        }
    }

    /// <summary>
    /// Makes everything that waits on the connection fail with this reason, unless it has one. The owner calls it when it knows why the
    /// microVM ended: a connection that breaks never tells.
    /// </summary>
    public void Fail(SandboxException reason)
    {
        Break(reason);
        lock (Gate)
        {
            if (Failure is not null)
            {
                return;
            }

            Failure = reason;
            foreach (GuestProcess process in _processes.Values)
            {
                process.ConnectionEnded(reason);
            }

            _processes.Clear();
            QueueEmptied.Pulse();
        }

        _hello.TrySetException(reason);
        _ready.TrySetException(reason);
        _shutdownDone.TrySetException(reason);
        _ = (_hello.Task.Exception, _ready.Task.Exception, _shutdownDone.Task.Exception); // any of them may have no reader
    }

    public void Dispose() => Fail(EndedByOwner);

    internal static SandboxException EndedByOwner => new(SandboxErrorKind.GuestStopped, "the microVM was ended by its owner");

    /// <summary>Room in the queue; under <see cref="Gate"/>, followed by <see cref="Append"/>.</summary>
    internal Span<byte> Room(int bytes) => _queue.Room(bytes);

    /// <summary>How much data may be queued now. Under <see cref="Gate"/>.</summary>
    internal int DataRoom => Math.Max(0, FrameQueue.DataLimitBytes - QueuedBytes);

    /// <summary>What the sending thread has not taken yet. Under <see cref="Gate"/>.</summary>
    internal int QueuedBytes => _queue.Count;

    /// <summary>Whether a message may go now; under <see cref="Gate"/>.</summary>
    internal bool MaySend(AgentMessageType type) => Failure is null && _session.TrySend(type);

    internal void Append(int bytes)
    {
        _queue.Appended(bytes);
        if (!_broken && _queueChanged.CurrentCount == 0)
        {
            _queueChanged.Release();
        }
    }

    internal void ThrowIfOver()
    {
        if (Failure is not null)
        {
            throw new SandboxException(Failure.Kind, Failure.Message, Failure);
        }
    }

    /// <summary>The connection is over; whoever waits on it hears of it by <see cref="Fail"/>.</summary>
    private void Break(SandboxException reason)
    {
        lock (Gate)
        {
            if (!_broken)
            {
                _broken = true;
                // Both wake the threads; the last of them closes the fd.
                _queueChanged.Release();
                _ = UnixSocket.Shutdown(_connection.Number);
            }
        }

        _ended.TrySetResult(reason);
    }

    private void Receive()
    {
        AgentFrameReader reader = new();
        while (true)
        {
            int count = FdIo.Read(_connection.Number, reader.Free);
            if (count <= 0)
            {
                Break(Lost(count == 0 ? "the guest's agent closed its connection" : "the connection to the guest's agent was lost"));
                break;
            }

            reader.Received(count);
            if (!TakeFrames(reader))
            {
                break;
            }
        }

        ThreadEnded();
    }

    /// <summary>What the receiving thread does with what it has received. False: the connection is over.</summary>
    internal bool TakeFrames(AgentFrameReader reader)
    {
        AgentFault fault = AgentFault.None;
        SandboxException? bootFailure = null;
        lock (Gate)
        {
            while (fault == AgentFault.None && !_broken && reader.TryTake(out AgentFrame frame))
            {
                fault = _session.Receive(frame, out HostEvent received);
                if (fault == AgentFault.None)
                {
                    bootFailure ??= Handle(received);
                }
            }

            fault = fault != AgentFault.None ? fault : reader.Fault;
            if (_queue.Count > FrameQueue.HardLimitBytes + (_processes.Count * AgentLimits.MaxFrameBytes))
            {
                bootFailure ??= Lost("the guest's agent reads nothing any more");
            }
        }

        if (fault != AgentFault.None)
        {
            bootFailure = new(SandboxErrorKind.GuestFailed, $"the guest's agent broke its protocol ({fault}); the microVM was ended");
        }

        if (bootFailure is not null)
        {
            Break(bootFailure);
            return false;
        }

        return true;
    }

    /// <summary>Acts on a message in order. Not null: the guest said that its boot failed.</summary>
    private SandboxException? Handle(HostEvent received)
    {
        switch (received.Type)
        {
            case AgentMessageType.Hello:
                Configure();
                _hello.TrySetResult();
                return null;
            case AgentMessageType.Ready:
                _ready.TrySetResult(received.Ready);
                return null;
            case AgentMessageType.ShutdownDone:
                _shutdownDone.TrySetResult();
                return null;
            case AgentMessageType.Failed:
                return GuestFailure.Describe(received.Failed!);
            default:
                if (received.Command is not null && _processes.TryGetValue(received.Command.Id, out GuestProcess? process))
                {
                    if (process.Handle(received))
                    {
                        _processes.Remove(received.Command.Id);
                    }
                }

                return null;
        }
    }

    private void Configure()
    {
        Judge(AgentMessageType.Configure);
        ConfigureMessage message = _configure();
        AgentFault fault = message.Encode(_queue.Room(AgentLimits.MaxFrameBytes), out int bytes);
        if (fault != AgentFault.None)
        {
            throw new InvalidOperationException($"Configure: {fault}");
        }

        Append(bytes);
    }

    private void Judge(AgentMessageType type)
    {
        if (!_session.TrySend(type))
        {
            throw new InvalidOperationException($"{type} is out of order");
        }
    }

    private void Send()
    {
        while (true)
        {
            _queueChanged.Wait();
            if (!TryTakeQueued(out ReadOnlyMemory<byte> frames))
            {
                break;
            }

            if (UnixSocket.SendAll(_connection.Number, frames.Span) < 0)
            {
                Break(Lost("the connection to the guest's agent was lost"));
                break;
            }
        }

        ThreadEnded();
    }

    /// <summary>What the sending thread sends next. False: the connection is over.</summary>
    internal bool TryTakeQueued(out ReadOnlyMemory<byte> frames)
    {
        lock (Gate)
        {
            frames = default;
            if (_broken)
            {
                return false;
            }

            frames = _queue.TakeAll();
            QueueEmptied.Pulse();
            return true;
        }
    }

    private void ThreadEnded()
    {
        lock (Gate)
        {
            _endedThreads++;
            if (_endedThreads == ThreadCount)
            {
                _connection.Dispose();
                _queueChanged.Dispose();
            }
        }
    }

    private static SandboxException Lost(string message) => new(SandboxErrorKind.GuestStopped, message);
}
