using System.Buffers.Binary;
using Sandbox.Control.Launch;
using Sandbox.Device;
using Sandbox.Device.Net;
using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Guest;
using Sandbox.Linux;
using Sandbox.Virtio.Net;

namespace Sandbox.Fuzz.Devices;

/// <summary>The network device on a stream, and the program at the other end of it, which sees only frames that may leave.</summary>
internal sealed class NetBench : DeviceBench
{
    private const ulong OwnMac = 0x0200_0000_0001;
    private const int Mtu = 1500;

    private readonly RequestCutter _cutter;
    private readonly Epoll _epoll = new();
    private readonly FdHandle _deviceEnd;
    private readonly FdHandle _hostEnd;
    private readonly NetDevice _device;
    private readonly Dictionary<ushort, FuzzBuffer[]> _room = [];
    private readonly Queue<int> _sentToGuest = new();
    private readonly byte[] _scratch = new byte[8192];
    private readonly byte[] _fromGuest = new byte[1 << 17];
    private int _fromGuestBytes;
    private int _chainsLeft;
    private int _frameBytes;
    private bool _over;
    private bool _lied; // the stream has lost its frames: nothing can be said of what comes out of it

    public NetBench(FuzzGuest guest)
        : base(guest)
    {
        _cutter = new RequestCutter(guest);
        (_deviceEnd, _hostEnd) = UnixSocket.CreatePair();
        _ = FdIo.SetNonBlocking(_hostEnd.Number, on: true);
        DeviceLaunchSpec spec = new() { Kind = DeviceKind.Network, NetBacking = NetBackingKind.Stream, MacAddress = OwnMac, Mtu = Mtu };
        _device = NetDevice.Create(spec, _deviceEnd.Number, new BackingWatch(_epoll));
    }

    public override VirtioDevice Device => _device;

    public override bool AnswersAtOnce => false; // receive buffers wait for frames

    public override long TurnAllocationBytes => 4096; // the lines that tell the first drop of each kind

    public override bool TryAddRequest(ref InputReader input, int queueIndex, FuzzQueue queue) =>
        queueIndex == 0 ? TryAddRoom(ref input, queue) : TryAddFrame(ref input, queue);

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
        int length = input.OneIn(4) ? 14 + (input.U16() % 3000) : 14 + input.Below(100);
        uint claimed = input.OneIn(40) ? input.Edge32() : (uint)length;
        BinaryPrimitives.WriteUInt32BigEndian(_scratch, claimed);
        for (int index = 0; index < length; index++)
        {
            _scratch[4 + index] = unchecked((byte)index);
        }

        bool whole = UnixSocket.Send(_hostEnd.Number, _scratch.AsSpan(0, 4 + length), []) == 4 + length;
        _lied |= claimed != length || !whole;
        _sentToGuest.Enqueue(length);
    }

    public override void Completed(int queueIndex, ushort head, uint writtenBytes)
    {
        if (queueIndex != 0 || !_room.Remove(head, out FuzzBuffer[]? buffers))
        {
            return;
        }

        int headerBytes = _chainsLeft == 0 ? NetHeader.SizeBytes : 0;
        if (writtenBytes < headerBytes)
        {
            throw new FindingException($"net: a frame of {writtenBytes} bytes, its header included");
        }

        Span<byte> bytes = _scratch.AsSpan(0, (int)writtenBytes);
        RequestCutter.ReadWritable(Guest, buffers, 0, bytes);
        if (_chainsLeft == 0)
        {
            _chainsLeft = NetHeader.Decode(bytes).BufferCount;
            _frameBytes = 0;
            if (_chainsLeft == 0)
            {
                throw new FindingException("net: a frame in no buffers");
            }
        }

        foreach (byte value in bytes[headerBytes..])
        {
            // A driver that takes no unfinished checksums gets them finished: our frames have none.
            if (value != unchecked((byte)_frameBytes++) && !_lied)
            {
                throw new FindingException("net: bytes to the guest are lost or changed");
            }
        }

        if (--_chainsLeft == 0)
        {
            JudgeReceived();
        }
    }

    public override void QueueStarted(int queueIndex)
    {
        if (queueIndex == 0)
        {
            _room.Clear();
            _chainsLeft = 0;
        }
    }

    public override void Dispose()
    {
        _deviceEnd.Dispose();
        _hostEnd.Dispose();
        _epoll.Dispose();
    }

    // Frames that fit no buffers are dropped: what arrives must be the next that was sent, or one after it.
    private void JudgeReceived()
    {
        Reached.Note(70, System.Numerics.BitOperations.Log2((uint)_frameBytes));
        while (_sentToGuest.TryDequeue(out int length))
        {
            if (length == _frameBytes)
            {
                return;
            }
        }

        if (!_lied)
        {
            throw new FindingException($"net: a frame of {_frameBytes} bytes that nobody sent");
        }
    }

    private void ReadFrames()
    {
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

    private bool TryAddRoom(ref InputReader input, FuzzQueue queue)
    {
        _cutter.Begin();
        int length = input.OneIn(16) ? input.Below(14) : NetHeader.SizeBytes + (input.OneIn(3) ? 1526 : input.Below(200));
        if (!_cutter.TryAddWritable(ref input, length) || !queue.TryAdd(_cutter.Buffers, input.OneIn(4), out ushort head))
        {
            return false;
        }

        _room[head] = _cutter.Buffers.ToArray();
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
}
