namespace Sandbox.Control.Launch;

/// <summary>
/// What came of a <see cref="VsockConnect"/>. The connected socket, which does not block, comes with the first byte of the frame, as the only fd
/// (SCM_RIGHTS); with a refusal there is none.
/// </summary>
/// <param name="Port">The question's.</param>
/// <param name="Connected">There is a socket.</param>
public readonly record struct VsockAnswer(int Port, bool Connected)
{
    public const int FrameBytes = LaunchFrame.HeaderBytes + sizeof(ushort) + sizeof(byte);

    /// <summary>Writes the whole frame; returns its length, <see cref="FrameBytes"/>.</summary>
    public int Encode(Span<byte> frame)
    {
        LaunchWriter writer = new(frame[LaunchFrame.HeaderBytes..]);
        writer.U16((ushort)Port);
        writer.U8(Connected ? (byte)1 : (byte)0);
        return LaunchFrame.Finish(frame, LaunchMessageType.VsockAnswer, writer.Count);
    }

    /// <summary>Reads a whole frame, which must be one of these.</summary>
    public static LaunchFault DecodeFrame(ReadOnlySpan<byte> frame, out VsockAnswer answer)
    {
        answer = default;
        LaunchFault fault = LaunchFrame.RequireHeader(frame, LaunchMessageType.VsockAnswer, FrameBytes);
        if (fault != LaunchFault.None)
        {
            return fault;
        }

        LaunchReader reader = new(frame[LaunchFrame.HeaderBytes..]);
        int port = reader.Count(LaunchLimits.MaxVsockPorts - 1);
        byte connected = reader.U8();
        reader.Require(connected <= 1);
        answer = new(port, connected == 1);
        return reader.End();
    }
}
