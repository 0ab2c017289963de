namespace Sandbox.Control.Launch;

/// <summary>What is wrong with a message on a control socket.</summary>
public enum LaunchFault
{
    None = 0,

    /// <summary>The frame is longer than <see cref="LaunchLimits.MaxFrameBytes"/>.</summary>
    TooLong,

    /// <summary>The other side speaks another version: the executables do not belong together.</summary>
    WrongVersion,

    /// <summary>Not a message that this side takes.</summary>
    WrongType,

    /// <summary>The content ends before its last field.</summary>
    Truncated,

    /// <summary>Bytes are left after the last field.</summary>
    TrailingBytes,

    /// <summary>A number or a length is outside its range.</summary>
    OutOfRange,

    /// <summary>Text has a byte that is no printable ASCII.</summary>
    NotPrintable,
}
