using Sandbox.Control.Launch;
using Sandbox.Linux;

namespace Sandbox.Device;

/// <summary>
/// This process's end of the socket to its launcher: one spec in, Ready and Ended out; of a vsock device questions out and answers in as well. Its end of
/// file means: end at once.
/// </summary>
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

    /// <summary>Answers are to come from now on: none is ever waited for.</summary>
    public void ExpectAnswers() => LinuxException.Check(FdIo.SetNonBlocking(fd, true), "fcntl control socket");

    public void Ask(in VsockConnect question)
    {
        Span<byte> frame = stackalloc byte[VsockConnect.FrameBytes];
        Send(frame[..question.Encode(frame)]);
    }

    /// <summary>Takes an answer, without waiting. False: the launcher is gone, or has sent something else.</summary>
    /// <param name="any">There was one.</param>
    /// <param name="answer">What it says.</param>
    /// <param name="socket">The one that came with it, the caller's to close, or -1.</param>
    public bool TryReceiveAnswer(out bool any, out VsockAnswer answer, out int socket)
    {
        Span<byte> frame = stackalloc byte[VsockAnswer.FrameBytes];
        Span<int> fds = stackalloc int[1];
        int count = UnixSocket.Receive(fd, frame, fds, out int fdCount);
        any = count != -(int)Errno.EAGAIN;
        answer = default;
        socket = fdCount == 1 ? fds[0] : -1;
        if (!any || (count > 0 && VsockAnswer.DecodeFrame(frame[..count], out answer) == LaunchFault.None && answer.Connected == (socket >= 0)))
        {
            return true;
        }

        _ = socket >= 0 ? FdIo.Close(socket) : 0;
        socket = -1;
        return false;
    }

    // Two messages in a lifetime, and one question at a time: they always fit the socket's buffer. A launcher that is gone shows as end of file.
    private void Send(ReadOnlySpan<byte> frame) => _ = UnixSocket.Send(fd, frame, []);
}
