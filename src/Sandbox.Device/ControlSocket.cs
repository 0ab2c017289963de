using Sandbox.Control.Launch;
using Sandbox.Linux;

namespace Sandbox.Device;

/// <summary>This process's end of the socket to its launcher: one spec in, Ready and Ended out. Its end of file means: end at once.</summary>
internal sealed class ControlSocket(int fd)
{
    public int Fd => fd;

    /// <summary>Waits for the launch spec. The spec is null with a fault, and when the launcher went away.</summary>
    public LaunchFault ReceiveSpec(out DeviceLaunchSpec? spec)
    {
        spec = null;
        byte[] header = new byte[LaunchFrame.HeaderBytes];
        int count = LinuxException.Check(FdIo.ReadFull(fd, header), "read launch spec");
        LaunchFault fault = LaunchFrame.ReadHeader(header.AsSpan(0, count), out LaunchMessageType type, out int contentBytes);
        if (fault == LaunchFault.None && type != LaunchMessageType.DeviceSpec)
        {
            fault = LaunchFault.WrongType;
        }

        if (fault != LaunchFault.None)
        {
            return fault;
        }

        byte[] content = new byte[contentBytes]; // at most 64 KiB: ReadHeader has checked
        count = LinuxException.Check(FdIo.ReadFull(fd, content), "read launch spec");
        return DeviceLaunchSpec.Decode(content.AsSpan(0, count), out spec);
    }

    public void SendReady(in Ready ready)
    {
        byte[] frame = new byte[Ready.FrameBytes];
        int length = ready.Encode(frame);
        Send(frame.AsSpan(0, length));
    }

    public void SendEnded(in Ended end)
    {
        if (end.Reason == EndReason.LauncherGone)
        {
            return;
        }

        byte[] frame = new byte[Ended.MaxFrameBytes];
        Send(frame.AsSpan(0, end.Encode(frame)));
    }

    // Two messages at most in a lifetime: they always fit the socket's buffer. A launcher that is gone shows as end of file.
    private void Send(ReadOnlySpan<byte> frame) => _ = UnixSocket.Send(fd, frame, []);
}
