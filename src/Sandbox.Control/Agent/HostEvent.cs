namespace Sandbox.Control.Agent;

/// <summary>
/// A message of the guest that the host's session has found to be in order. <see cref="Type"/> says which of the others
/// are set. <see cref="Data"/> is a view of the receive buffer: copy it before the next receive.
/// </summary>
public readonly ref struct HostEvent
{
    public AgentMessageType Type { get; init; }

    /// <summary>The command that Started, ExecFailed, Data, End, Credit and Exited are about.</summary>
    public HostCommand? Command { get; init; }

    /// <summary>The stream of Data, End and Credit.</summary>
    public AgentStream Stream { get; init; }

    public ReadOnlySpan<byte> Data { get; init; }

    public ReadyMessage Ready { get; init; }

    public FailedMessage? Failed { get; init; }

    /// <summary>The error number of ExecFailed.</summary>
    public int Errno { get; init; }

    public ExitedMessage Exited { get; init; }
}
