using Sandbox.Linux;
using Sandbox.Virtio.Net;

namespace Sandbox.Device.Net;

/// <summary>
/// A tap interface of the host (Documentation/networking/tuntap.rst), non-blocking: one read or write a frame, with a virtio header of 12 bytes
/// in front. Its launcher has switched the header and all offloads on.
/// </summary>
internal sealed class TapBacking(int fd) : NetBacking(fd)
{
    private readonly byte[] _received = new byte[NetHeader.SizeBytes + MaxFrameBytes];
    private readonly byte[] _sending = new byte[NetHeader.SizeBytes + MaxFrameBytes];
    private int _receivedBytes;
    private int _sendingBytes;

    public override ulong Offloads =>
        NetFeatureBits.Checksum | NetFeatureBits.HostTso4 | NetFeatureBits.HostTso6 | NetFeatureBits.HostEcn
        | NetFeatureBits.GuestChecksum | NetFeatureBits.GuestTso4 | NetFeatureBits.GuestTso6 | NetFeatureBits.GuestEcn;

    public override NetHeader Header => NetHeader.Decode(_received);

    public override Span<byte> Frame => _receivedBytes == 0 ? [] : _received.AsSpan(NetHeader.SizeBytes, _receivedBytes - NetHeader.SizeBytes);

    public override Span<byte> Room => _sendingBytes == 0 ? _sending.AsSpan(NetHeader.SizeBytes) : [];

    public override bool TryReceive()
    {
        if (_receivedBytes != 0)
        {
            return true;
        }

        int count = FdIo.Read(Fd, _received);
        if (count > NetHeader.SizeBytes)
        {
            _receivedBytes = count;
            return true;
        }

        // EIO: the interface is down. It may come up again, and the fd is readable then.
        return count is -(int)Errno.EAGAIN or -(int)Errno.EIO ? false : throw Lost("read", count);
    }

    public override void ChecksumCompleted() => (Header with { Flags = NetHeaderFlags.None }).Encode(_received);

    public override void Next() => _receivedBytes = 0;

    public override void Send(in NetHeader header, int frameBytes)
    {
        header.Encode(_sending);
        _sendingBytes = NetHeader.SizeBytes + frameBytes;
        _ = Flush();
    }

    public override bool Flush()
    {
        if (_sendingBytes == 0)
        {
            return true;
        }

        int count = FdIo.Write(Fd, _sending.AsSpan(0, _sendingBytes));
        if (count == -(int)Errno.EAGAIN)
        {
            return false;
        }

        // What the kernel refuses (a frame it finds fault with, an interface that is down) is a lost frame, as on any cable.
        _sendingBytes = 0;
        return count != -(int)Errno.EBADF ? true : throw Lost("write", count);
    }

    private static LinuxException Lost(string call, int count) => new($"{call} the tap interface", count < 0 ? (Errno)(-count) : Errno.EIO);
}
