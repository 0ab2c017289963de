using Sandbox.Control.Agent;
using Sandbox.Linux;
using Sandbox.Linux.Guest;

namespace Sandbox.Init.Agent;

/// <summary>
/// The guest's end of the agent protocol: one thread, one epoll set. It reads no pipe it cannot send, and hears no host it
/// cannot answer, so a slow host bounds what waits here to fixed buffers.
/// </summary>
internal sealed class AgentServer(FdHandle connection, IGuestMachine machine) : IDisposable
{
    private const ulong ConnectionTag = 0;
    private const ulong ChildrenTag = 1;
    private const int SmallFrameBytes = 64;

    private readonly AgentFrameReader _reader = new();
    private readonly OutgoingBuffer _outgoing = new();
    private readonly Dictionary<uint, GuestCommand> _commands = [];
    private readonly List<GuestCommand> _over = [];
    private readonly EpollReady[] _ready = new EpollReady[64];
    private readonly Epoll _epoll = new();
    private readonly ChildWatcher _children = new();
    private AgentPhase _phase = AgentPhase.AwaitHello;
    private uint _lastId;

    /// <summary>Serves until the host closes the connection, says Shutdown, or breaks the protocol.</summary>
    /// <returns>True when the host asked for the end; false when it is gone or a fault ended the connection.</returns>
    public bool Run(long startedNanoseconds)
    {
        Send(new HelloMessage(AgentLimits.Version).Encode(_outgoing.Room(SmallFrameBytes)), AgentMessageType.Hello);
        Watch host = new(_epoll, connection, ConnectionTag);
        Watch children = new(_epoll, _children.Reapable, ChildrenTag);
        LinuxException.Check(FdIo.SetNonBlocking(connection.Number, true), "fcntl O_NONBLOCK");
        children.Want(EpollEvents.Readable);
        bool listening = true;
        while (listening && _phase != AgentPhase.Ended)
        {
            listening = HandleAndFlush(startedNanoseconds);
            if (!listening || _phase == AgentPhase.Ended)
            {
                break;
            }

            EpollEvents wanted = (_outgoing.HasRoomForAnswers ? EpollEvents.Readable : EpollEvents.None)
                | (_outgoing.IsEmpty ? EpollEvents.None : EpollEvents.Writable);
            host.Want(wanted);
            foreach (GuestCommand command in _commands.Values)
            {
                command.Output.UpdateWatch(_outgoing);
                command.Error.UpdateWatch(_outgoing);
            }

            int count = LinuxException.Check(_epoll.Wait(_ready, -1), "epoll_wait");
            foreach (EpollReady ready in _ready.AsSpan(0, count))
            {
                listening &= Dispatch(ready);
            }

            FinishCommands();
        }

        EndCommands();
        return _phase == AgentPhase.Ended && FlushLast();
    }

    public void Dispose()
    {
        _children.Dispose();
        _epoll.Dispose();
    }

    private bool Dispatch(EpollReady ready)
    {
        switch (ready.Tag)
        {
            case ConnectionTag:
                return (ready.Events & ~EpollEvents.Writable) == EpollEvents.None || !_outgoing.HasRoomForAnswers || Receive();
            case ChildrenTag:
                Reap();
                return true;
        }

        if (!_commands.TryGetValue((uint)(ready.Tag >> 2), out GuestCommand? command))
        {
            return true;
        }

        switch ((AgentStream)(ready.Tag & 3))
        {
            case AgentStream.Output:
                command.Output.Pump(_outgoing);
                break;
            case AgentStream.Error:
                command.Error.Pump(_outgoing);
                break;
            default:
                command.AnswerInput(command.Input?.Pump() ?? 0, _outgoing);
                break;
        }

        return true;
    }

    /// <summary>False when the host is gone.</summary>
    private bool Receive()
    {
        Span<byte> free = _reader.Free;
        if (free.IsEmpty)
        {
            // Whole frames wait in it for room to answer.
            return true;
        }

        int count = FdIo.Read(connection.Number, free);
        if (count <= 0)
        {
            return count == -(int)Errno.EAGAIN;
        }

        _reader.Received(count);
        return true;
    }

    /// <summary>Handles what has come, and again when frames had to wait for room that the flush has made. False: the connection is over.</summary>
    private bool HandleAndFlush(long startedNanoseconds)
    {
        bool waited;
        do
        {
            if (!HandleFrames(startedNanoseconds))
            {
                return false;
            }

            waited = !_outgoing.HasRoomForAnswers;
            if (_outgoing.Flush(connection) != 0)
            {
                return false;
            }
        }
        while (waited && _outgoing.HasRoomForAnswers && _phase != AgentPhase.Ended);

        return true;
    }

    /// <summary>False after a fault: a host that breaks its own protocol is not asked again.</summary>
    private bool HandleFrames(long startedNanoseconds)
    {
        while (_outgoing.HasRoomForAnswers && _reader.TryTake(out AgentFrame frame))
        {
            AgentFault fault = AgentOrder.TryAdvance(ref _phase, AgentSide.Host, frame.Type)
                ? Handle(frame, startedNanoseconds)
                : AgentFault.OutOfOrder;
            if (fault != AgentFault.None || _phase == AgentPhase.Ended)
            {
                return fault == AgentFault.None;
            }
        }

        return _reader.Fault == AgentFault.None;
    }

    private AgentFault Handle(AgentFrame frame, long startedNanoseconds)
    {
        switch (frame.Type)
        {
            case AgentMessageType.Configure:
                AgentFault fault = ConfigureMessage.Decode(frame.Body, out ConfigureMessage configuration);
                return fault != AgentFault.None ? fault : Configure(configuration, startedNanoseconds);
            case AgentMessageType.Exec:
                fault = ExecMessage.Decode(frame.Body, out ExecMessage exec);
                return fault != AgentFault.None ? fault : Exec(exec);
            case AgentMessageType.Shutdown:
                EndCommands();
                machine.Stop();
                Send(EmptyMessage.Encode(_outgoing.Room(SmallFrameBytes), AgentMessageType.ShutdownDone), AgentMessageType.ShutdownDone);
                return EmptyMessage.Decode(frame.Body);
            default:
                return HandleForCommand(frame);
        }
    }

    private AgentFault Configure(ConfigureMessage configuration, long startedNanoseconds)
    {
        if (machine.Configure(configuration) is { } failed)
        {
            AgentFault tooLong = failed.Encode(_outgoing.Room(AgentLimits.MaxTextBytes + SmallFrameBytes), out int frameBytes);
            Send(frameBytes, AgentMessageType.Failed);
            return tooLong;
        }

        ReadyMessage ready = new(startedNanoseconds, MonotonicClock.Nanoseconds);
        Send(ready.Encode(_outgoing.Room(SmallFrameBytes)), AgentMessageType.Ready);
        return AgentFault.None;
    }

    private AgentFault Exec(ExecMessage exec)
    {
        if (exec.Id <= _lastId)
        {
            return AgentFault.UnknownCommand;
        }

        _lastId = exec.Id;
        Errno error = Errno.EAGAIN;
        GuestCommand? command = _commands.Count < AgentLimits.MaxLiveCommands ? GuestCommand.Start(exec, _epoll, out error) : null;
        if (command is null)
        {
            Send(new ExecFailedMessage(exec.Id, (int)error).Encode(_outgoing.Room(SmallFrameBytes)), AgentMessageType.ExecFailed);
            return AgentFault.None;
        }

        _commands.Add(exec.Id, command);
        _children.Wake();
        Send(new StartedMessage(exec.Id).Encode(_outgoing.Room(SmallFrameBytes)), AgentMessageType.Started);
        return AgentFault.None;
    }

    private AgentFault HandleForCommand(AgentFrame frame)
    {
        AgentFault fault;
        GuestCommand? command;
        switch (frame.Type)
        {
            case AgentMessageType.Data:
                fault = Find(DataMessage.Decode(frame.Body, out DataMessage data), data.Id, out command);
                return command is null ? fault : InputData(command, data);
            case AgentMessageType.End:
                fault = Find(EndMessage.Decode(frame.Body, out EndMessage end), end.Id, out command);
                return command is null ? fault : End(command, end.Stream);
            case AgentMessageType.Credit:
                fault = Find(CreditMessage.Decode(frame.Body, out CreditMessage credit), credit.Id, out command);
                return command is null ? fault : credit.Stream switch
                {
                    AgentStream.Output => command.Output.Window.Granted(credit.Bytes),
                    AgentStream.Error => command.Error.Window.Granted(credit.Bytes),
                    _ => AgentFault.StreamState,
                };
            case AgentMessageType.Resize:
                fault = Find(ResizeMessage.Decode(frame.Body, out ResizeMessage resize), resize.Id, out command);
                return command is null || command.TryResize(resize.Size) ? fault : AgentFault.StreamState;
            default:
                fault = Find(SignalMessage.Decode(frame.Body, out SignalMessage signal), signal.Id, out command);
                if (command is { Alive: true })
                {
                    // ESRCH and the like: it ends anyhow.
                    _ = ChildProcesses.SignalGroup(command.Pid, signal.Signal);
                }

                return fault;
        }
    }

    private AgentFault InputData(GuestCommand command, DataMessage data)
    {
        if (data.Stream != AgentStream.Input || command.Input is null)
        {
            return AgentFault.StreamState;
        }

        AgentFault fault = command.Input.Accept(data.Bytes, out uint credit);
        command.AnswerInput(credit, _outgoing);
        return fault;
    }

    private AgentFault End(GuestCommand command, AgentStream stream)
    {
        switch (stream)
        {
            case AgentStream.Output:
                command.Output.End(_outgoing);
                return AgentFault.None;
            case AgentStream.Error:
                command.Error.End(_outgoing);
                return AgentFault.None;
            default:
                return command.Input?.End() ?? AgentFault.StreamState;
        }
    }

    /// <summary>The live command of that id. Null without a fault: it is over, and the message crossed with our saying so.</summary>
    private AgentFault Find(AgentFault decoded, uint id, out GuestCommand? command)
    {
        command = null;
        return decoded != AgentFault.None ? decoded
            : _commands.TryGetValue(id, out command) || id <= _lastId ? AgentFault.None
            : AgentFault.UnknownCommand;
    }

    private void Reap()
    {
        _ = EventFd.TryConsume(_children.Reapable.Number);
        int result;
        while ((result = ChildProcesses.TryReap(out ChildExit exit)) > 0)
        {
            // The others are orphans that PID 1 inherits: reaping them is all they need.
            foreach (GuestCommand command in _commands.Values)
            {
                if (command.Alive && command.Pid == exit.Pid)
                {
                    command.Died(exit, _outgoing);
                }
            }
        }

        if (result == 0)
        {
            _children.Wake();
        }
    }

    private void FinishCommands()
    {
        foreach (GuestCommand command in _commands.Values)
        {
            command.Output.DrainTerminal(_outgoing);
            if (command.TryFinish(_outgoing))
            {
                _over.Add(command);
            }
        }

        foreach (GuestCommand command in _over)
        {
            _commands.Remove(command.Id);
        }

        _over.Clear();
    }

    /// <summary>The host is gone or wants the end: nothing of its commands stays.</summary>
    private void EndCommands()
    {
        const int Kill = 9;
        foreach (GuestCommand command in _commands.Values)
        {
            if (command.Alive)
            {
                _ = ChildProcesses.SignalGroup(command.Pid, Kill);
            }

            command.Close();
        }

        _commands.Clear();
    }

    private bool FlushLast() =>
        FdIo.SetNonBlocking(connection.Number, false) == 0 && _outgoing.Flush(connection) == 0 && UnixSocket.ShutdownWrite(connection.Number) == 0;

    /// <summary>Counts a frame built in the buffer's room. A message that the order table forbids is our own bug.</summary>
    private void Send(int frameBytes, AgentMessageType type)
    {
        if (!AgentOrder.TryAdvance(ref _phase, AgentSide.Guest, type))
        {
            Environment.FailFast($"sandbox-init: {type} is out of order in {_phase}");
        }

        _outgoing.Added(frameBytes);
    }
}
