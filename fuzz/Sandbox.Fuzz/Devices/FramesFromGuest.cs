using System.Buffers.Binary;
using Sandbox.Fuzz.Engine;
using Sandbox.Virtio.Net;

namespace Sandbox.Fuzz.Devices;

/// <summary>
/// What leaves, judged a second time. Of any driver: only from its own address, no longer than the MTU allows, and never from a stream to this host. Of a
/// driver that keeps to the rules: the frames that it sent, byte for byte, in the order of each queue, and all that may leave.
/// </summary>
/// <param name="good">It keeps to the rules.</param>
/// <param name="tap">Headers go with the frames, and the host's own addresses are the host's affair.</param>
/// <param name="ownMac">The driver's address.</param>
/// <param name="mtu">The longest packet that is no segment.</param>
internal sealed class FramesFromGuest(bool good, bool tap, ulong ownMac, int mtu)
{
    private const int EthernetBytes = 14;
    private const int LinkBytes = EthernetBytes + 4; // with a VLAN tag

    private readonly List<Sent> _sent = [];
    private readonly Dictionary<(int Queue, ushort Head), Sent> _withDevice = [];
    private readonly Dictionary<int, long> _lastOfQueue = [];

    private readonly List<ulong> _agreed = [];

    /// <summary>What the driver has taken. What it sent before a reset may leave after it, as it was asked for then.</summary>
    public ulong Features
    {
        get => _agreed.Count == 0 ? 0 : _agreed[^1];
        set => _agreed.Add(value);
    }

    /// <summary>Stands in the next frame's first bytes, so that no two are alike.</summary>
    public uint NextSerial => (uint)_sent.Count;

    /// <summary>The driver has made a packet available, a header and a frame, or less.</summary>
    public void Added(int queue, ushort head, ReadOnlySpan<byte> packet)
    {
        Sent sent = new(queue, NextSerial, packet.ToArray(), Features);
        _sent.Add(sent);
        _withDevice[(queue, head)] = sent;
        _lastOfQueue.TryAdd(queue, -1);
    }

    /// <summary>The packet is back: what may leave is on its way. Whatever is done with it, it takes one chain, in which nothing is written.</summary>
    public void Completed(int queue, ushort head, uint writtenBytes)
    {
        if (!_withDevice.Remove((queue, head), out Sent? sent) || writtenBytes != 0)
        {
            throw new FindingException($"net: transmit queue {queue} gave head {head} back with {writtenBytes} bytes written");
        }

        ReadOnlySpan<byte> packet = sent.Packet;
        sent.MustLeave = packet.Length >= NetHeader.SizeBytes + EthernetBytes && MayLeave(NetHeader.Decode(packet), packet[NetHeader.SizeBytes..], sent.Features);
    }

    /// <summary>The ring begins anew: what lay in it is forgotten.</summary>
    public void QueueStarted(int queue)
    {
        foreach ((int Queue, ushort Head) key in _withDevice.Keys.Where(key => key.Queue == queue).ToArray())
        {
            _ = _withDevice.Remove(key);
        }
    }

    /// <summary>A frame came out at the other end; of a stream, no header.</summary>
    public void Left(in NetHeader header, ReadOnlySpan<byte> frame)
    {
        ulong features = FeaturesOf(header, frame);
        if (tap)
        {
            TapJudge.Sent(header, frame, features);
        }

        ushort type = BinaryPrimitives.ReadUInt16BigEndian(frame[12..]);
        Reached.Note(71, type is 0x0800 or 0x86DD ? type : 0);
        if (!MayLeave(header, frame, features))
        {
            throw new FindingException($"net: a frame of type 0x{type:x4} and {frame.Length} bytes left that must not");
        }

        if (good)
        {
            JudgeSent(header, frame);
        }
    }

    /// <summary>Everything has been read.</summary>
    public void RequireAllLeft()
    {
        foreach (Sent sent in _sent)
        {
            if (sent.MustLeave && !sent.HasLeft)
            {
                throw new FindingException($"net: frame {sent.Serial} of queue {sent.Queue}, {sent.Packet.Length} bytes with its header, was taken and never left");
            }
        }
    }

    private void JudgeSent(in NetHeader header, ReadOnlySpan<byte> frame)
    {
        uint serial = BinaryPrimitives.ReadUInt32BigEndian(frame);
        if (serial >= _sent.Count || !_sent[(int)serial].Packet.AsSpan(NetHeader.SizeBytes).SequenceEqual(frame))
        {
            throw new FindingException($"net: a frame of {frame.Length} bytes left that the driver has not sent");
        }

        Sent sent = _sent[(int)serial];
        if (serial <= _lastOfQueue[sent.Queue])
        {
            throw new FindingException($"net: frame {serial} of queue {sent.Queue} left after frame {_lastOfQueue[sent.Queue]}");
        }

        _lastOfQueue[sent.Queue] = serial;
        sent.HasLeft = true;
        NetHeader asked = NetHeader.Decode(sent.Packet);
        bool checksum = (asked.Flags & NetHeaderFlags.NeedsChecksum) != 0;
        bool segment = asked.Segmentation != NetSegmentation.None;
        NetHeader right = new(
            checksum ? NetHeaderFlags.NeedsChecksum : NetHeaderFlags.None,
            asked.Segmentation,
            header.HeaderBytes, // computed from the frame, and judged by it
            segment ? asked.SegmentBytes : (ushort)0,
            checksum ? asked.ChecksumStart : (ushort)0,
            checksum ? asked.ChecksumOffset : (ushort)0,
            0);
        if (tap && header != right)
        {
            throw new FindingException($"tap: {header} left where {right} was asked for");
        }
    }

    // Those of the driver that sent it; which one that was, only a good driver's frame tells.
    private ulong FeaturesOf(in NetHeader header, ReadOnlySpan<byte> frame)
    {
        uint serial = BinaryPrimitives.ReadUInt32BigEndian(frame);
        if (good && serial < _sent.Count)
        {
            return _sent[(int)serial].Features;
        }

        foreach (ulong features in _agreed)
        {
            if (TapJudge.MayAsk(header, frame, features, out _))
            {
                return features;
            }
        }

        return Features;
    }

    private bool MayLeave(in NetHeader header, ReadOnlySpan<byte> frame, ulong features)
    {
        ulong source = BinaryPrimitives.ReadUInt64BigEndian(frame[6..]) >> 16;
        return source == ownMac
            && (tap || !IsForThisHost(frame))
            && TapJudge.MayAsk(header, frame, features, out _)
            && (header.Segmentation != NetSegmentation.None || frame.Length <= mtu + LinkBytes);
    }

    private static bool IsForThisHost(ReadOnlySpan<byte> frame) => BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) switch
    {
        0x0800 => frame.Length < 34 || frame[30] is 0 or 127 || (frame[30] == 169 && frame[31] == 254),
        0x86DD => frame.Length < 54 || frame.Slice(38, 10).IndexOfAnyExcept((byte)0) < 0,
        _ => false,
    };

    private sealed class Sent(int queue, uint serial, byte[] packet, ulong features)
    {
        public ulong Features { get; } = features;

        public int Queue { get; } = queue;

        public uint Serial { get; } = serial;

        public byte[] Packet { get; } = packet;

        public bool MustLeave { get; set; }

        public bool HasLeft { get; set; }
    }
}
