using System.Buffers.Binary;
using Sandbox.Linux;
using Sandbox.Virtio.Net;

namespace Sandbox.Device.Net;

/// <summary>
/// A connected stream socket on which each frame follows its length, a big-endian u32 (QEMU's socket protocol, which passt(1) speaks). Many
/// frames go in one call. The other end parses the network's bytes: it is not trusted to keep to the protocol.
/// </summary>
internal sealed class StreamBacking(int fd) : NetBacking(fd)
{
    private const int PrefixBytes = sizeof(uint);
    private const int BufferBytes = 4 * (PrefixBytes + MaxFrameBytes);

    private readonly byte[] _received = new byte[BufferBytes];
    private readonly byte[] _sending = new byte[BufferBytes];
    private int _receivedStart;
    private int _receivedEnd;
    private int _sendingStart;
    private int _sendingEnd;
    private int _frameBytes;

    /// <summary>The other end computes every checksum from what its sockets gave it, so a driver need not.</summary>
    public override ulong Offloads => NetFeatureBits.GuestChecksum;

    public override NetHeader Header => new(NetHeaderFlags.ChecksumValid, NetSegmentation.None, 0, 0, 0, 0, 0);

    public override Span<byte> Frame => _received.AsSpan(_receivedStart + PrefixBytes, _frameBytes);

    public override Span<byte> Room
    {
        get
        {
            int rest = BufferBytes - _sendingEnd;
            return rest >= PrefixBytes + MaxFrameBytes ? _sending.AsSpan(_sendingEnd + PrefixBytes, MaxFrameBytes) : [];
        }
    }

    public override bool TryReceive()
    {
        while (_frameBytes == 0 && !TryFindFrame())
        {
            Compact(_received, ref _receivedStart, ref _receivedEnd);
            int count = UnixSocket.Receive(Fd, _received.AsSpan(_receivedEnd), [], out _);
            if (count == -(int)Errno.EAGAIN)
            {
                return false;
            }

            _receivedEnd += count > 0 ? count : throw Lost(count);
        }

        return true;
    }

    public override void Next()
    {
        _receivedStart += PrefixBytes + _frameBytes;
        _frameBytes = 0;
    }

    public override void Send(in NetHeader header, int frameBytes)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_sending.AsSpan(_sendingEnd), (uint)frameBytes);
        _sendingEnd += PrefixBytes + frameBytes;
        if (Room.IsEmpty)
        {
            _ = Flush();
        }
    }

    public override bool Flush()
    {
        while (_sendingStart != _sendingEnd)
        {
            int count = UnixSocket.Send(Fd, _sending.AsSpan(_sendingStart, _sendingEnd - _sendingStart), []);
            if (count == -(int)Errno.EAGAIN)
            {
                Compact(_sending, ref _sendingStart, ref _sendingEnd);
                return false;
            }

            _sendingStart += count > 0 ? count : throw Lost(count);
        }

        _sendingStart = 0;
        _sendingEnd = 0;
        return true;
    }

    private bool TryFindFrame()
    {
        int have = _receivedEnd - _receivedStart;
        if (have < PrefixBytes)
        {
            return false;
        }

        uint length = BinaryPrimitives.ReadUInt32BigEndian(_received.AsSpan(_receivedStart));
        if (length is < FrameRules.EthernetBytes or > MaxFrameBytes)
        {
            throw new LinuxException($"receive from the network's stream a frame of {length} bytes", Errno.EPROTO);
        }

        bool whole = have >= PrefixBytes + (int)length;
        _frameBytes = whole ? (int)length : 0;
        return whole;
    }

    private static void Compact(byte[] buffer, ref int start, ref int end)
    {
        if (start != 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            end -= start;
            start = 0;
        }
    }

    private static LinuxException Lost(int count) => new("network stream: passt has ended", count < 0 ? (Errno)(-count) : Errno.EPIPE);
}
