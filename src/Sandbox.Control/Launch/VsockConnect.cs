namespace Sandbox.Control.Launch;

/// <summary>A guest program wants one more connection to the program behind a port of the host's. There is no other question until it is answered.</summary>
/// <param name="Port">The port's place in <see cref="DeviceLaunchSpec.VsockPorts"/>.</param>
public readonly record struct VsockConnect(int Port)
{
    public const int FrameBytes = LaunchFrame.HeaderBytes + sizeof(ushort);

    /// <summary>Writes the whole frame; returns its length, <see cref="FrameBytes"/>.</summary>
    public int Encode(Span<byte> frame)
    {
        LaunchWriter writer = new(frame[LaunchFrame.HeaderBytes..]);
        writer.U16((ushort)Port);
        return LaunchFrame.Finish(frame, LaunchMessageType.VsockConnect, writer.Count);
    }

    public static LaunchFault Decode(ReadOnlySpan<byte> content, out VsockConnect connect)
    {
        LaunchReader reader = new(content);
        connect = new(reader.Count(LaunchLimits.MaxVsockPorts - 1));
        return reader.End();
    }
}
