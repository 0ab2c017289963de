namespace Sandbox.Control.Launch;

/// <summary>
/// A device process has died and another is in its place. Its vhost-user socket (frontend end) comes with the first byte of the frame, as
/// the only fd (SCM_RIGHTS): it is the one fd that a running VMM is ever given.
/// </summary>
/// <param name="Place">The device's place in the <see cref="VmmLaunchSpec"/>.</param>
public readonly record struct DeviceReplacement(int Place)
{
    public const int FrameBytes = LaunchFrame.HeaderBytes + sizeof(ushort);

    /// <summary>Writes the whole frame; returns its length, <see cref="FrameBytes"/>.</summary>
    public int Encode(Span<byte> frame)
    {
        LaunchWriter writer = new(frame[LaunchFrame.HeaderBytes..]);
        writer.U16((ushort)Place);
        return LaunchFrame.Finish(frame, LaunchMessageType.DeviceReplacement, writer.Count);
    }

    /// <summary>Reads a whole frame, which must be one of these.</summary>
    public static LaunchFault DecodeFrame(ReadOnlySpan<byte> frame, out DeviceReplacement replacement)
    {
        replacement = default;
        LaunchFault fault = LaunchFrame.RequireHeader(frame, LaunchMessageType.DeviceReplacement, FrameBytes);
        if (fault != LaunchFault.None)
        {
            return fault;
        }

        LaunchReader reader = new(frame[LaunchFrame.HeaderBytes..]);
        replacement = new(reader.Count(LaunchLimits.MaxDevices - 1));
        return reader.End();
    }
}
