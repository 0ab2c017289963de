namespace Sandbox.Control.Launch;

/// <summary>The last message of a process: why it ends.</summary>
/// <param name="Reason">The reason; the exit code repeats it.</param>
/// <param name="Detail">A number whose meaning depends on the reason, else 0.</param>
/// <param name="Text">Printable ASCII for the operator; empty when the reason says it all.</param>
public readonly record struct Ended(EndReason Reason, ulong Detail, string Text)
{
    public const int MaxFrameBytes = LaunchFrame.HeaderBytes + sizeof(ushort) + sizeof(ulong) + sizeof(ushort) + LaunchLimits.MaxEndTextBytes;

    /// <summary>Writes the whole frame into a buffer of <see cref="MaxFrameBytes"/>; returns its length. Text that is too long is cut, other characters than printable ASCII become '?'.</summary>
    public int Encode(Span<byte> frame)
    {
        Span<char> text = stackalloc char[Math.Min(Text.Length, LaunchLimits.MaxEndTextBytes)];
        for (int index = 0; index < text.Length; index++)
        {
            text[index] = Text[index] is >= ' ' and <= '~' ? Text[index] : '?';
        }

        LaunchWriter writer = new(frame[LaunchFrame.HeaderBytes..]);
        writer.U16((ushort)Reason);
        writer.U64(Detail);
        writer.Text(text);
        return LaunchFrame.Finish(frame, LaunchMessageType.Ended, writer.Count);
    }

    public static LaunchFault Decode(ReadOnlySpan<byte> content, out Ended ended)
    {
        LaunchReader reader = new(content);
        ended = new((EndReason)reader.U16(), reader.U64(), reader.Text(LaunchLimits.MaxEndTextBytes));
        reader.Require(Enum.IsDefined(ended.Reason));
        return reader.End();
    }
}
