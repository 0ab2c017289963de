namespace Sandbox.Control.Launch;

/// <summary>The process has its spec, its walls are up, and it has not yet seen a byte of the guest.</summary>
/// <param name="MonotonicNanoseconds">CLOCK_MONOTONIC when it was sent.</param>
public readonly record struct Ready(long MonotonicNanoseconds)
{
    public const int FrameBytes = LaunchFrame.HeaderBytes + sizeof(ulong);

    /// <summary>Writes the whole frame; returns its length, <see cref="FrameBytes"/>.</summary>
    public int Encode(Span<byte> frame)
    {
        LaunchWriter writer = new(frame[LaunchFrame.HeaderBytes..]);
        writer.U64((ulong)MonotonicNanoseconds);
        return LaunchFrame.Finish(frame, LaunchMessageType.Ready, writer.Count);
    }

    public static LaunchFault Decode(ReadOnlySpan<byte> content, out Ready ready)
    {
        LaunchReader reader = new(content);
        ready = new(reader.Size(long.MaxValue));
        return reader.End();
    }
}
