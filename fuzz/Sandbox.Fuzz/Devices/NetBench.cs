using System.Buffers.Binary;
using Sandbox.Control.Launch;
using Sandbox.Device;
using Sandbox.Device.Net;
using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Guest;
using Sandbox.Linux;
using Sandbox.Virtio.Net;

namespace Sandbox.Fuzz.Devices;

/// <summary>
/// The network device on a stream or a tap interface, and the program at the other end of it, which sees only frames that may leave. With several pairs of queues a
/// frame may come on any that is in use, and on each in the order in which it was sent.
/// </summary>
internal sealed class NetBench : DeviceBench
{
    private const ulong OwnMac = 0x0200_0000_0001;
    private const int Mtu = 1500;
    private const int FlowByte = 29; // of the source address

    private readonly RequestCutter _cutter;
    private readonly Epoll _epoll = new();
    private readonly FdHandle _deviceEnd;
    private readonly FdHandle _hostEnd;
    private readonly NetDevice _device;
    private readonly bool _tap;
    private readonly ulong _withheld;
    private readonly int _maxPairs;
    private readonly NetBenchPairs _pairs = new();
    private readonly ReceiveState[] _received;
    private readonly List<(int Length, bool Arrived)> _sentToGuest = [];
    private readonly byte[] _scratch = new byte[8192];
    private readonly byte[] _fromGuest = new byte[1 << 17];
    private int _fromGuestBytes;
    private bool _over;
    private ulong _features;
    private bool _lied; // the stream has lost its frames: nothing can be said of what comes out of it

    /// <param name="guest">Its driver's memory.</param>
    /// <param name="pairs">Pairs of queues.</param>
    /// <param name="withheld">Features that this driver does not take.</param>
    /// <param name="tap">A packet with a header is a frame; else frames lie one after the other in a stream.</param>
    public NetBench(FuzzGuest guest, int pairs, ulong withheld, bool tap)
        : base(guest)
    {
        _tap = tap;
        _withheld = withheld;
        _maxPairs = pairs;
        _received = [.. Enumerable.Range(0, pairs).Select(static _ => new ReceiveState())];
        _cutter = new RequestCutter(guest);
        (_deviceEnd, _hostEnd) = tap ? PacketPair.Create() : UnixSocket.CreatePair();
        _ = FdIo.SetNonBlocking(_hostEnd.Number, on: true);
        DeviceLaunchSpec spec = new() { Kind = DeviceKind.Network, NetBacking = tap ? NetBackingKind.Tap : NetBackingKind.Stream, MacAddress = OwnMac, Mtu = Mtu, QueueCount = pairs };
        _device = NetDevice.Create(spec, _deviceEnd.Number, new BackingWatch(_epoll));
    }

    public override VirtioDevice Device => _device;

    public override bool AnswersAtOnce => false; // receive buffers wait for frames

    public override long TurnAllocationBytes => 4096; // the lines that tell the first drop of each kind

    public override void FeaturesAgreed(ulong features)
    {
        features &= ~_withheld;
        _features = features;
        bool several = (features & NetFeatureBits.MultiQueue) != 0;
        _pairs.Begin(several ? _maxPairs : 1, (features & NetFeatureBits.ControlQueue) != 0);
        base.FeaturesAgreed(features);
    }

    // Queues that the driver has not agreed to are set up all the same, and must lie there.
    public override bool TryAddRequest(ref InputReader input, int queueIndex, FuzzQueue queue)
    {
        if (_pairs.IsControl(queueIndex))
        {
            return TryAddCommand(ref input, queue);
        }

        return queueIndex < 2 * _pairs.Count
            && (queueIndex % 2 == 0 ? TryAddRoom(ref input, queueIndex / 2, queue) : TryAddFrame(ref input, queue));
    }

    public override bool Turn()
    {
        if (_over)
        {
            return false;
        }

        try
        {
            return _device.Work();
        }
        catch (LinuxException)
        {
            _over = true; // the stream broke: the process ends with that
            return false;
        }
        finally
        {
            ReadFrames();
        }
    }

    public override void Disturb(ref InputReader input)
    {
        if (_tap)
        {
            ReceivePacket(ref input);
            return;
        }

        int length = PutFrame(ref input, 4);
        uint claimed = input.OneIn(40) ? input.Edge32() : (uint)length;
        BinaryPrimitives.WriteUInt32BigEndian(_scratch, claimed);
        if (input.OneIn(2))
        {
            BinaryPrimitives.WriteUInt16BigEndian(_scratch.AsSpan(4 + 12), 0x0800); // with a flow
            _scratch[4 + FlowByte] = length > FlowByte ? input.Byte() : _scratch[4 + FlowByte];
        }

        bool whole = UnixSocket.Send(_hostEnd.Number, _scratch.AsSpan(0, 4 + length), []) == 4 + length;
        _lied |= claimed != length || !whole;
        _sentToGuest.Add((length, false));
    }

    public override void Completed(int queueIndex, ushort head, uint writtenBytes)
    {
        if (_pairs.IsControl(queueIndex))
        {
            _pairs.JudgeAnswer(Guest, head, writtenBytes);
            return;
        }

        if (queueIndex % 2 != 0)
        {
            return;
        }

        int pair = queueIndex / 2;
        ReceiveState state = _received[pair];
        if (!state.Room.Remove(head, out FuzzBuffer[]? buffers))
        {
            return;
        }

        _pairs.JudgeReceivedOn(pair);
        int headerBytes = state.ChainsLeft == 0 ? NetHeader.SizeBytes : 0;
        if (writtenBytes < headerBytes)
        {
            throw new FindingException($"net: a frame of {writtenBytes} bytes, its header included");
        }

        Span<byte> bytes = _scratch.AsSpan(0, (int)writtenBytes);
        RequestCutter.ReadWritable(Guest, buffers, 0, bytes);
        if (state.ChainsLeft == 0)
        {
            NetHeader header = NetHeader.Decode(bytes);
            if (_tap)
            {
                TapJudge.Received(header, _features);
            }

            state.ChainsLeft = header.BufferCount;
            state.FrameBytes = 0;
            if (state.ChainsLeft == 0)
            {
                throw new FindingException("net: a frame in no buffers");
            }
        }

        foreach (byte value in bytes[headerBytes..])
        {
            // A driver that takes no unfinished checksums gets them finished: our frames have none.
            int at = state.FrameBytes++;
            if (value != unchecked((byte)at) && at is not 12 and not 13 and not FlowByte && !_lied)
            {
                throw new FindingException("net: bytes to the guest are lost or changed");
            }
        }

        if (--state.ChainsLeft == 0)
        {
            JudgeReceived(state);
        }
    }

    public override void QueueStarted(int queueIndex)
    {
        if (_pairs.IsControl(queueIndex))
        {
            _pairs.ControlStarted();
        }
        else if (queueIndex % 2 == 0 && queueIndex / 2 < _maxPairs)
        {
            _received[queueIndex / 2].Room.Clear();
            _received[queueIndex / 2].ChainsLeft = 0;
        }
    }

    public override void Dispose()
    {
        _deviceEnd.Dispose();
        _hostEnd.Dispose();
        _epoll.Dispose();
    }

    // Frames that fit no buffers are dropped: what arrives must be the next that was sent, or one after it that came nowhere else.
    private void JudgeReceived(ReceiveState state)
    {
        Reached.Note(70, System.Numerics.BitOperations.Log2((uint)state.FrameBytes));
        while (state.NextSent < _sentToGuest.Count)
        {
            int sent = state.NextSent++;
            if (_sentToGuest[sent] == (state.FrameBytes, false))
            {
                _sentToGuest[sent] = (state.FrameBytes, true);
                return;
            }
        }

        if (!_lied)
        {
            throw new FindingException($"net: a frame of {state.FrameBytes} bytes that nobody sent");
        }
    }

    // A frame for the guest, whose bytes count up: how long it is.
    private int PutFrame(ref InputReader input, int at)
    {
        int length = input.OneIn(4) ? 14 + (input.U16() % 3000) : 14 + input.Below(100);
        for (int index = 0; index < length; index++)
        {
            _scratch[at + index] = unchecked((byte)index);
        }

        return length;
    }

    // Headers as a host kernel writes them, and some that none does.
    private void ReceivePacket(ref InputReader input)
    {
        int length = PutFrame(ref input, NetHeader.SizeBytes);
        bool offloaded = input.OneIn(4);
        NetSegmentation kind = input.OneIn(4) ? (NetSegmentation)input.Byte() : input.Pick<NetSegmentation>([NetSegmentation.None, NetSegmentation.Tcp4, NetSegmentation.Tcp6]);
        (offloaded
            ? new NetHeader(
                input.OneIn(4) ? (NetHeaderFlags)input.Byte() : NetHeaderFlags.NeedsChecksum,
                kind,
                input.U16(), input.U16(), input.OneIn(4) ? input.U16() : (ushort)input.Below(length), (ushort)input.Below(20), input.U16())
            : default).Encode(_scratch);
        if (UnixSocket.Send(_hostEnd.Number, _scratch.AsSpan(0, NetHeader.SizeBytes + length), []) == NetHeader.SizeBytes + length)
        {
            _lied |= offloaded; // the device may complete a checksum in the frame
            _sentToGuest.Add((length, false));
        }
    }

    private void ReadPackets()
    {
        Span<byte> own = stackalloc byte[6];
        new MacAddress(OwnMac).Write(own);
        for (int count; (count = FdIo.Read(_hostEnd.Number, _fromGuest)) > 0;)
        {
            TapJudge.Sent(_fromGuest.AsSpan(0, count), _features, own);
        }
    }

    private void ReadFrames()
    {
        if (_tap)
        {
            ReadPackets();
            return;
        }

        int count = FdIo.Read(_hostEnd.Number, _fromGuest.AsSpan(_fromGuestBytes));
        _fromGuestBytes += Math.Max(count, 0);
        int at = 0;
        while (_fromGuestBytes - at >= 4)
        {
            uint length = BinaryPrimitives.ReadUInt32BigEndian(_fromGuest.AsSpan(at));
            if (length is < 14 or > 14 + 4 + 65535)
            {
                throw new FindingException($"net: a frame of {length} bytes left");
            }

            if (_fromGuestBytes - at < 4 + (int)length)
            {
                break;
            }

            JudgeSent(_fromGuest.AsSpan(at + 4, (int)length));
            at += 4 + (int)length;
        }

        _fromGuest.AsSpan(at, _fromGuestBytes - at).CopyTo(_fromGuest);
        _fromGuestBytes -= at;
    }

    // What may leave, read a second time: only from the guest's own address, and never to this host.
    private static void JudgeSent(ReadOnlySpan<byte> frame)
    {
        ushort type = BinaryPrimitives.ReadUInt16BigEndian(frame[12..]);
        Reached.Note(71, type is 0x0800 or 0x86DD ? type : 0);
        bool own = frame[6] == 2 && frame[7] == 0 && frame[8] == 0 && frame[9] == 0 && frame[10] == 0 && frame[11] == 1;
        bool forbidden = type switch
        {
            0x0800 => frame.Length < 34 || frame[30] is 0 or 127 || (frame[30] == 169 && frame[31] == 254),
            0x86DD => frame.Length < 54 || frame.Slice(38, 10).IndexOfAnyExcept((byte)0) < 0,
            _ => false,
        };
        if (!own || forbidden)
        {
            throw new FindingException($"net: a frame of type 0x{type:x4} left that must not (from its own address: {own})");
        }
    }

    private bool TryAddRoom(ref InputReader input, int pair, FuzzQueue queue)
    {
        _cutter.Begin();
        int length = input.OneIn(16) ? input.Below(14) : NetHeader.SizeBytes + (input.OneIn(3) ? 1526 : input.Below(200));
        if (!_cutter.TryAddWritable(ref input, length) || !queue.TryAdd(_cutter.Buffers, input.OneIn(4), out ushort head))
        {
            return false;
        }

        _received[pair].Room[head] = _cutter.Buffers.ToArray();
        return true;
    }

    private bool TryAddCommand(ref InputReader input, FuzzQueue queue)
    {
        Span<byte> command = _scratch.AsSpan(0, 16);
        command.Clear();
        command[0] = input.OneIn(8) ? input.Byte() : (byte)4;
        command[1] = input.OneIn(8) ? input.Byte() : (byte)0;
        BinaryPrimitives.WriteUInt16LittleEndian(command[2..], input.OneIn(8) ? input.U16() : (ushort)input.Below(_maxPairs + 2));
        command = command[..(input.OneIn(8) ? input.Below(16) : 4)];
        _cutter.Begin();
        if (!_cutter.TryAddReadable(ref input, command) || !_cutter.TryAddWritable(ref input, input.OneIn(8) ? input.Below(4) : 1)
            || !queue.TryAdd(_cutter.Buffers, input.OneIn(4), out ushort head))
        {
            return false;
        }

        _pairs.Asked(head, command, _cutter.Buffers.ToArray());
        return true;
    }

    private bool TryAddFrame(ref InputReader input, FuzzQueue queue)
    {
        Span<byte> packet = _scratch.AsSpan(0, 2048);
        packet.Clear();
        new NetHeader(
            (NetHeaderFlags)(input.OneIn(3) ? input.Byte() : (byte)0),
            (NetSegmentation)(input.OneIn(4) ? input.Byte() : (byte)0),
            input.OneIn(4) ? input.U16() : (ushort)0,
            input.OneIn(4) ? input.U16() : (ushort)0,
            input.OneIn(4) ? input.U16() : (ushort)34,
            input.OneIn(4) ? input.U16() : (ushort)16,
            0).Encode(packet);
        Span<byte> frame = packet[NetHeader.SizeBytes..];
        new MacAddress(input.OneIn(8) ? input.U64() & 0xFFFF_FFFF_FFFF : OwnMac).Write(frame[6..]);
        bool six = input.OneIn(3);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], input.OneIn(8) ? input.U16() : six ? (ushort)0x86DD : (ushort)0x0800);
        frame[14] = input.OneIn(8) ? input.Byte() : six ? (byte)0x60 : (byte)0x45;
        frame[six ? 20 : 23] = 6;
        input.Bytes(six ? 16 : 4).CopyTo(frame[(six ? 38 : 30)..]);
        frame[30] = !six && input.OneIn(3) ? input.Pick<byte>([0, 127, 169, 10]) : frame[30];
        frame[46] = input.OneIn(4) ? input.Byte() : (byte)0x50;
        int length = NetHeader.SizeBytes + (input.OneIn(8) ? input.U16() % 2000 : 54 + input.Below(40));
        length = input.OneIn(16) ? input.Below(40) : length;
        _cutter.Begin();
        return _cutter.TryAddReadable(ref input, packet[..length]) && queue.TryAdd(_cutter.Buffers, input.OneIn(4), out _);
    }

    private sealed class ReceiveState
    {
        public Dictionary<ushort, FuzzBuffer[]> Room { get; } = [];

        public int ChainsLeft { get; set; }

        public int FrameBytes { get; set; }

        public int NextSent { get; set; }
    }
}
