namespace Sandbox.Control.Agent;

/// <summary>
/// The host's end of one agent connection, without the connection: judges every frame of the guest against the order table,
/// the commands alive and their windows, and hands out what is in order as a <see cref="HostEvent"/>. Everything in a frame
/// is a hostile guest's word. Not thread-safe: the owner holds one lock around it and around sending, so that frames go out
/// in the order in which they were judged.
/// </summary>
public sealed class HostSession
{
    private readonly Dictionary<uint, HostCommand> _alive = [];
    private AgentPhase _phase = AgentPhase.AwaitHello;
    private uint _lastId;

    public AgentPhase Phase => _phase;

    /// <summary>Judges a frame. On a fault the connection is over and the guest is to be killed.</summary>
    public AgentFault Receive(AgentFrame frame, out HostEvent received)
    {
        received = default;
        if (!AgentOrder.TryAdvance(ref _phase, AgentSide.Guest, frame.Type))
        {
            return AgentFault.OutOfOrder;
        }

        AgentFault fault;
        switch (frame.Type)
        {
            case AgentMessageType.Hello:
                fault = HelloMessage.Decode(frame.Body, out _);
                received = new HostEvent { Type = frame.Type };
                return fault;
            case AgentMessageType.Ready:
                fault = ReadyMessage.Decode(frame.Body, out ReadyMessage ready);
                received = new HostEvent { Type = frame.Type, Ready = ready };
                return fault;
            case AgentMessageType.Failed:
                fault = FailedMessage.Decode(frame.Body, out FailedMessage failed);
                received = new HostEvent { Type = frame.Type, Failed = failed };
                return fault;
            case AgentMessageType.ShutdownDone:
                received = new HostEvent { Type = frame.Type };
                return EmptyMessage.Decode(frame.Body);
            default:
                return ReceiveForCommand(frame, out received);
        }
    }

    /// <summary>Gives out the next command, to be sent as Exec. Null: too many are alive (<see cref="AgentLimits.MaxLiveCommands"/>), or the guest is not running.</summary>
    public HostCommand? Begin(bool wantsInput)
    {
        if (_phase != AgentPhase.Running || _alive.Count >= AgentLimits.MaxLiveCommands || _lastId == uint.MaxValue)
        {
            return null;
        }

        HostCommand command = new(++_lastId, wantsInput);
        _alive.Add(command.Id, command);
        return command;
    }

    /// <summary>Takes back a command that <see cref="Begin"/> gave out and whose Exec was not sent.</summary>
    public void Abandon(HostCommand command)
    {
        ArgumentNullException.ThrowIfNull(command);
        _alive.Remove(command.Id);
    }

    /// <summary>Whether the host may send this now; moves the phase for Configure and Shutdown.</summary>
    public bool TrySend(AgentMessageType type) => AgentOrder.TryAdvance(ref _phase, AgentSide.Host, type);

    private AgentFault ReceiveForCommand(AgentFrame frame, out HostEvent received)
    {
        received = default;
        AgentFault fault;
        HostCommand? command;
        switch (frame.Type)
        {
            case AgentMessageType.Started:
                fault = StartedMessage.Decode(frame.Body, out StartedMessage started);
                fault = Find(fault, started.Id, out command);
                received = new HostEvent { Type = frame.Type, Command = command };
                return command?.Started() ?? fault;
            case AgentMessageType.ExecFailed:
                fault = ExecFailedMessage.Decode(frame.Body, out ExecFailedMessage execFailed);
                fault = Find(fault, execFailed.Id, out command);
                received = new HostEvent { Type = frame.Type, Command = command, Errno = execFailed.Errno };
                return Forget(command, command?.ExecFailed() ?? fault);
            case AgentMessageType.Data:
                fault = DataMessage.Decode(frame.Body, out DataMessage data);
                fault = Find(fault, data.Id, out command);
                received = new HostEvent { Type = frame.Type, Command = command, Stream = data.Stream, Data = data.Bytes };
                return command?.Data(data.Stream, data.Bytes.Length) ?? fault;
            case AgentMessageType.End:
                fault = EndMessage.Decode(frame.Body, out EndMessage end);
                fault = Find(fault, end.Id, out command);
                received = new HostEvent { Type = frame.Type, Command = command, Stream = end.Stream };
                return command?.End(end.Stream) ?? fault;
            case AgentMessageType.Credit:
                fault = CreditMessage.Decode(frame.Body, out CreditMessage credit);
                fault = Find(fault, credit.Id, out command);
                received = new HostEvent { Type = frame.Type, Command = command, Stream = credit.Stream };
                return command?.Credit(credit.Stream, credit.Bytes) ?? fault;
            case AgentMessageType.Exited:
                fault = ExitedMessage.Decode(frame.Body, out ExitedMessage exited);
                fault = Find(fault, exited.Id, out command);
                received = new HostEvent { Type = frame.Type, Command = command, Exited = exited };
                return Forget(command, command?.Exited() ?? fault);
            default:
                return AgentFault.OutOfOrder;
        }
    }

    /// <summary>The live command of that id; null with the fault when the message was bad or there is none.</summary>
    private AgentFault Find(AgentFault decoded, uint id, out HostCommand? command)
    {
        command = null;
        return decoded != AgentFault.None ? decoded
            : _alive.TryGetValue(id, out command) ? AgentFault.None
            : AgentFault.UnknownCommand;
    }

    private AgentFault Forget(HostCommand? command, AgentFault fault)
    {
        if (command is not null && fault == AgentFault.None)
        {
            _alive.Remove(command.Id);
        }

        return fault;
    }
}
