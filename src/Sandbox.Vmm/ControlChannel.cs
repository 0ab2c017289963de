using Sandbox.Control.Launch;
using Sandbox.Linux;

namespace Sandbox.Vmm;

/// <summary>This process's end of the socket to its launcher. Used by the main thread alone.</summary>
/// <param name="socket">Blocking, borrowed.</param>
internal sealed class ControlChannel(int socket)
{
    /// <summary>Reads the first message. False at end of stream: the launcher has gone before it said anything.</summary>
    public bool TryReceiveSpec(out LaunchFault fault, out VmmLaunchSpec? spec)
    {
        spec = null;
        fault = LaunchFault.Truncated;
        Span<byte> header = stackalloc byte[LaunchFrame.HeaderBytes];
        int got = FdIo.ReadFull(socket, header);
        if (got <= 0)
        {
            return false;
        }

        fault = LaunchFrame.ReadHeader(header[..got], out LaunchMessageType type, out int contentBytes);
        if (fault == LaunchFault.None && type != LaunchMessageType.VmmSpec)
        {
            fault = LaunchFault.WrongType;
        }

        if (fault == LaunchFault.None)
        {
            byte[] content = new byte[contentBytes];
            got = FdIo.ReadFull(socket, content);
            fault = got < 0 ? LaunchFault.Truncated : VmmLaunchSpec.Decode(content.AsSpan(0, got), out spec);
        }

        return true;
    }

    /// <summary>
    /// Reads a message to the running machine; the only one is that a device has another backend, with its socket. False at end of stream:
    /// the launcher has gone. The socket is null with a fault.
    /// </summary>
    public bool TryReceiveReplacement(out LaunchFault fault, out DeviceReplacement replacement, out FdHandle? backend)
    {
        replacement = default;
        backend = null;
        Span<byte> frame = stackalloc byte[DeviceReplacement.FrameBytes];
        Span<int> fds = stackalloc int[1];
        int count = UnixSocket.Receive(socket, frame, fds, out int fdCount);
        fault = count > 0 ? DeviceReplacement.DecodeFrame(frame[..count], out replacement) : LaunchFault.OutOfRange; // -EPROTO: more than one fd
        if (fdCount == 1)
        {
            backend = new FdHandle(fds[0]);
        }

        if (fault == LaunchFault.None && backend is null)
        {
            fault = LaunchFault.Truncated;
        }

        if (fault != LaunchFault.None)
        {
            backend?.Dispose();
            backend = null;
        }

        return count is not 0 and not -(int)Errno.ECONNRESET;
    }

    /// <summary>Walls up, spec known, no byte of the guest seen.</summary>
    public void SendReady()
    {
        Span<byte> frame = stackalloc byte[Ready.FrameBytes];
        Send(frame[..new Ready(MonotonicClock.Nanoseconds).Encode(frame)]);
    }

    public void SendPhase(VmmPhase phase)
    {
        Span<byte> frame = stackalloc byte[PhaseReached.FrameBytes];
        Send(frame[..new PhaseReached(phase, MonotonicClock.Nanoseconds).Encode(frame)]);
    }

    public void SendEnded(in Ended ended)
    {
        Span<byte> frame = stackalloc byte[Ended.MaxFrameBytes];
        Send(frame[..ended.Encode(frame)]);
    }

    /// <summary>A launcher that has gone cannot be told anything: the main loop sees its end of stream. A frame of this size goes in whole or not at all.</summary>
    private void Send(ReadOnlySpan<byte> frame) => _ = UnixSocket.Send(socket, frame, []);
}
