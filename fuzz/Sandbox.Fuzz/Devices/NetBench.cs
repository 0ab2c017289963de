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

    private readonly RequestCutter _cutter;
    private readonly Epoll _epoll = new();
    private readonly NetDevice _device;
    private readonly NetPeer _peer;
    private readonly ulong _withheld;
    private readonly int _maxPairs;
    private readonly NetBenchPairs _pairs = new();
    private readonly ReceiveState[] _received;
    private readonly PacketMaker _maker = new(OwnMac);
    private readonly FramesFromGuest _fromGuest;
    private readonly FramesToGuest _toGuest;
    private readonly byte[] _scratch = new byte[4096];
    private bool _over;
    private bool _agreed;
    private ulong _features;

    /// <param name="guest">Its driver's memory.</param>
    /// <param name="pairs">Pairs of queues.</param>
    /// <param name="withheld">Features that this driver does not take.</param>
    /// <param name="tap">A packet with a header is a frame; else frames lie one after the other in a stream.</param>
    /// <param name="habit">How the other end reads and writes at first.</param>
    public NetBench(FuzzGuest guest, int pairs, ulong withheld, bool tap, byte habit)
        : base(guest)
    {
        _withheld = withheld;
        _maxPairs = pairs;
        _received = [.. Enumerable.Range(0, pairs).Select(static _ => new ReceiveState())];
        _cutter = new RequestCutter(guest);
        _fromGuest = new FramesFromGuest(good: guest.Auditor.Strict, tap, OwnMac, Mtu);
        _toGuest = new FramesToGuest(pairs);
        _peer = tap ? new TapPeer(habit, _fromGuest, _toGuest) : new StreamPeer(habit, _fromGuest, _toGuest);
        DeviceLaunchSpec spec = new() { Kind = DeviceKind.Network, NetBacking = tap ? NetBackingKind.Tap : NetBackingKind.Stream, MacAddress = OwnMac, Mtu = Mtu, QueueCount = pairs };
        _device = NetDevice.Create(spec, _peer.DeviceFd, new BackingWatch(_epoll));
    }

    public override VirtioDevice Device => _device;

    public override bool AnswersAtOnce => false; // receive buffers wait for frames

    public override bool HasEnded => _over;

    // Before the end, frames may wait for the other side.
    public override bool MustAskForKicks(int queueIndex, bool atEnd) =>
        !_over && (_pairs.IsControl(queueIndex) || (atEnd && queueIndex % 2 == 1 && queueIndex < 2 * _pairs.Count));

    public override long TurnAllocationBytes => 4096; // the lines that tell the first drop of each kind

    public override void FeaturesAgreed(ulong features)
    {
        features &= ~_withheld;
        _toGuest.IsAnotherDriver = _agreed;
        _agreed = true;
        _features = features;
        _fromGuest.Features = features;
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
            && (queueIndex % 2 == 0 ? TryAddRoom(ref input, queueIndex / 2, queue) : TryAddFrames(ref input, queueIndex, queue));
    }

    public override bool Turn()
    {
        if (_over)
        {
            return false;
        }

        _peer.Write();
        try
        {
            return _device.Work();
        }
        catch (LinuxException) when (_toGuest.Lied)
        {
            _over = true; // the stream broke: the process ends with that
            return false;
        }
        finally
        {
            _peer.Read();
        }
    }

    public override void Disturb(ref InputReader input) => _peer.Disturb(ref input);

    public override void Completed(int queueIndex, ushort head, uint writtenBytes)
    {
        if (_pairs.IsControl(queueIndex))
        {
            _pairs.JudgeAnswer(Guest, head, writtenBytes);
            return;
        }

        if (queueIndex % 2 != 0)
        {
            _fromGuest.Completed(queueIndex, head, writtenBytes);
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
            state.Begin(NetHeader.Decode(bytes));
            bool mergeable = (_features & NetFeatureBits.MergeableBuffers) != 0;
            if (state.ChainsLeft == 0 || (state.ChainsLeft != 1 && !mergeable))
            {
                throw new FindingException($"net: a frame in {state.ChainsLeft} buffers, mergeable: {mergeable}");
            }
        }

        state.Add(bytes[headerBytes..]);
        if (state.ChainsLeft == 0)
        {
            _toGuest.Arrived(pair, state.Header, state.Frame, _features);
        }
    }

    public override void QueueStarted(int queueIndex)
    {
        if (_pairs.IsControl(queueIndex))
        {
            _pairs.ControlStarted();
        }
        else if (queueIndex % 2 != 0)
        {
            _fromGuest.QueueStarted(queueIndex);
        }
        else if (queueIndex / 2 < _maxPairs)
        {
            _received[queueIndex / 2].Forget();
        }
    }

    // The other end reads everything now, so all that the device took comes out.
    public override void CheckAtEnd(bool behaved)
    {
        if (!behaved)
        {
            return;
        }

        if (_received.Any(static state => state.ChainsLeft != 0))
        {
            throw new FindingException("net: some of a frame's buffers came, and not all of them");
        }

        // As the process's loop does it: a device that does not watch its fd is not woken.
        _peer.ReadAllFromNowOn();
        _peer.Read();
        Span<EpollReady> ready = stackalloc EpollReady[1];
        bool more = false;
        while (!_over && (more || _epoll.Wait(ready, 0) > 0))
        {
            more = Turn();
        }

        if (!_over)
        {
            _fromGuest.RequireAllLeft();
        }
    }

    public override void Dispose()
    {
        _peer.Dispose();
        _epoll.Dispose();
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

    // One, or many alike: a queue and what is behind it fill up only so.
    private bool TryAddFrames(ref InputReader input, int queueIndex, FuzzQueue queue)
    {
        int count = input.OneIn(6) ? 1 + input.Below(16) : 1;
        ReadOnlySpan<byte> packet = _maker.Make(ref input, _fromGuest.NextSerial);
        for (; count != 0; count--)
        {
            _maker.Renumber(_fromGuest.NextSerial);
            _cutter.Begin();
            if (!_cutter.TryAddReadable(ref input, packet) || !queue.TryAdd(_cutter.Buffers, input.OneIn(4), out ushort head))
            {
                return false;
            }

            _fromGuest.Added(queueIndex, head, packet);
        }

        return true;
    }

    // The frame that a pair's queue is about to give.
    private sealed class ReceiveState
    {
        private readonly byte[] _frame = new byte[4096];
        private int _bytes;

        public Dictionary<ushort, FuzzBuffer[]> Room { get; } = [];

        public int ChainsLeft { get; private set; }

        public NetHeader Header { get; private set; }

        public ReadOnlySpan<byte> Frame => _frame.AsSpan(0, _bytes);

        public void Begin(in NetHeader header)
        {
            Header = header;
            ChainsLeft = header.BufferCount;
            _bytes = 0;
        }

        // Only a stream that has lost its frames has longer ones, and nothing is said of those.
        public void Add(ReadOnlySpan<byte> bytes)
        {
            int count = Math.Min(bytes.Length, _frame.Length - _bytes);
            bytes[..count].CopyTo(_frame.AsSpan(_bytes));
            _bytes += count;
            ChainsLeft--;
        }

        public void Forget()
        {
            Room.Clear();
            ChainsLeft = 0;
        }
    }
}
