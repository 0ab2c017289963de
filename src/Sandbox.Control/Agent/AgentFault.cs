namespace Sandbox.Control.Agent;

/// <summary>What a peer did wrong. After a fault the connection is over: nothing more is read from it.</summary>
public enum AgentFault
{
    None = 0,

    /// <summary>A frame length below the header or above <see cref="AgentLimits.MaxFrameBytes"/>.</summary>
    FrameLength,

    /// <summary>The reserved half-word of the header is not zero.</summary>
    ReservedBits,

    /// <summary>A message type that does not exist.</summary>
    UnknownType,

    /// <summary>The stream ended in the middle of a frame.</summary>
    TruncatedFrame,

    /// <summary>The body ends before its fields do.</summary>
    TruncatedBody,

    /// <summary>The body goes on after its last field.</summary>
    TrailingBytes,

    /// <summary>A version other than <see cref="AgentLimits.Version"/>.</summary>
    Version,

    /// <summary>A text, path, name or list longer than its limit.</summary>
    TooLong,

    /// <summary>More items than <see cref="AgentLimits.MaxListItems"/>.</summary>
    TooManyItems,

    /// <summary>A text that is no UTF-8, or has a zero byte in it.</summary>
    BadText,

    /// <summary>A number outside its range (stream, stage, error number, signal, exit code, flag).</summary>
    BadValue,

    /// <summary>A message that this side may not send in this phase.</summary>
    OutOfOrder,

    /// <summary>A command id that was never given out, is over, or is given out twice.</summary>
    UnknownCommand,

    /// <summary>More commands at once than <see cref="AgentLimits.MaxLiveCommands"/>.</summary>
    TooManyCommands,

    /// <summary>A stream message that the state of the command or its stream forbids (before Started, after End, wrong direction).</summary>
    StreamState,

    /// <summary>More data than the reader gave leave for.</summary>
    CreditOverrun,

    /// <summary>Credit that lifts a window above <see cref="AgentLimits.StreamWindowBytes"/>, or credit of zero.</summary>
    CreditExcess,
}
