namespace Sandbox.Control.Agent;

/// <summary>Where a command is, seen from the host.</summary>
public enum HostCommandPhase
{
    /// <summary>Exec was sent, no answer yet.</summary>
    Requested,

    Running,

    /// <summary>Exited or ExecFailed has come: the guest may not name its id again.</summary>
    Over,
}

/// <summary>
/// One command as the host sees it: what the guest may still send for it, and what the host may. Not thread-safe: it belongs
/// to its <see cref="HostSession"/> and is used under the same lock.
/// </summary>
public sealed class HostCommand
{
    private readonly StreamReceiveWindow _output = new();
    private readonly StreamReceiveWindow _error = new();
    private bool _outputEnded;
    private bool _errorEnded;
    private bool _inputRefused;

    internal HostCommand(uint id, bool wantsInput)
    {
        Id = id;
        InputOpen = wantsInput;
    }

    public uint Id { get; }

    public HostCommandPhase Phase { get; private set; }

    /// <summary>Whether Data for the command's input may be sent: it wants input, nobody has ended it, and the command is not over.</summary>
    public bool InputOpen { get; private set; }

    /// <summary>How much input may be sent now.</summary>
    public StreamSendWindow Input { get; } = new();

    /// <summary>Tells that End was sent for the command's input.</summary>
    public void InputEnded() => InputOpen = false;

    /// <summary>Bytes of <paramref name="stream"/> (output or error) have left the host's buffers: the credit to send for them, or 0.</summary>
    public uint Consumed(AgentStream stream, int bytes)
    {
        uint credit = Window(stream).Consumed(bytes);
        return Ended(stream) || Phase == HostCommandPhase.Over ? 0 : credit;
    }

    internal AgentFault Started()
    {
        if (Phase != HostCommandPhase.Requested)
        {
            return AgentFault.StreamState;
        }

        Phase = HostCommandPhase.Running;
        return AgentFault.None;
    }

    internal AgentFault ExecFailed()
    {
        AgentFault fault = Phase == HostCommandPhase.Requested ? AgentFault.None : AgentFault.StreamState;
        return fault == AgentFault.None ? Finish() : fault;
    }

    /// <summary>Exited is the last word: both streams must have ended before it, so that no byte can come after it.</summary>
    internal AgentFault Exited() =>
        Phase == HostCommandPhase.Running && _outputEnded && _errorEnded ? Finish() : AgentFault.StreamState;

    internal AgentFault Data(AgentStream stream, int bytes) =>
        Phase == HostCommandPhase.Running && stream != AgentStream.Input && !Ended(stream) ? Window(stream).Received(bytes) : AgentFault.StreamState;

    /// <summary>End of output or error comes once. On input it says that the command reads no more; that may cross with our own End.</summary>
    internal AgentFault End(AgentStream stream)
    {
        if (Phase != HostCommandPhase.Running || Ended(stream))
        {
            return AgentFault.StreamState;
        }

        switch (stream)
        {
            case AgentStream.Output:
                _outputEnded = true;
                break;
            case AgentStream.Error:
                _errorEnded = true;
                break;
            default:
                _inputRefused = true;
                InputOpen = false;
                break;
        }

        return AgentFault.None;
    }

    internal AgentFault Credit(AgentStream stream, uint bytes) =>
        Phase == HostCommandPhase.Running && stream == AgentStream.Input ? Input.Granted(bytes) : AgentFault.StreamState;

    private bool Ended(AgentStream stream) => stream switch
    {
        AgentStream.Output => _outputEnded,
        AgentStream.Error => _errorEnded,
        _ => _inputRefused,
    };

    private StreamReceiveWindow Window(AgentStream stream) => stream switch
    {
        AgentStream.Output => _output,
        AgentStream.Error => _error,
        _ => throw new ArgumentOutOfRangeException(nameof(stream)),
    };

    private AgentFault Finish()
    {
        Phase = HostCommandPhase.Over;
        InputOpen = false;
        return AgentFault.None;
    }
}
