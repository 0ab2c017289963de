using Sandbox.Device;
using Sandbox.Device.Vsock;
using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Guest;
using Sandbox.Linux;
using Sandbox.Virtio.Vsock;

namespace Sandbox.Fuzz.Devices;

/// <summary>
/// The vsock device with a port of the host's that has one connection, one of the guest's own, and one of the host's that has many; and the programs at the other ends of
/// their sockets.
/// </summary>
internal sealed class VsockBench : DeviceBench
{
    private const uint GuestCid = 3;
    private const uint HostPort = 1024;
    private const uint OwnPort = 78;
    private const long TurnNanoseconds = 20_000_000;

    private readonly RequestCutter _cutter;
    private readonly Epoll _epoll = new();
    private readonly FdHandle _deviceEnd;
    private readonly FdHandle _hostEnd;
    private readonly FdHandle _ownDeviceEnd;
    private readonly FdHandle _ownHostEnd;
    private readonly VsockDevice _device;
    private readonly VsockPrograms _programs = new();
    private readonly Dictionary<uint, (uint Delivered, byte Expects)> _many = []; // by the guest's port
    private readonly Dictionary<ushort, FuzzBuffer[]> _room = [];
    private readonly byte[] _scratch = new byte[8192];
    private readonly bool _honest; // the guest's driver tells its credit as it is: 2048 bytes, none of them ever read
    private readonly uint[] _delivered = new uint[2]; // by the host's port and by the guest's own
    private readonly byte[] _hostNext = new byte[2]; // what the host writes is a row of counting bytes
    private readonly byte[] _guestExpects = new byte[2];
    private long _now;

    private const uint HonestCredit = 2048;

    public VsockBench(FuzzGuest guest, bool honest)
        : base(guest)
    {
        _honest = honest;
        _cutter = new RequestCutter(guest);
        (_deviceEnd, _hostEnd) = UnixSocket.CreatePair();
        _ = FdIo.SetNonBlocking(_hostEnd.Number, on: true);
        (_ownDeviceEnd, _ownHostEnd) = UnixSocket.CreatePair();
        foreach (FdHandle end in (FdHandle[])[_deviceEnd, _ownDeviceEnd, _ownHostEnd])
        {
            _ = FdIo.SetNonBlocking(end.Number, on: true);
        }

        VsockConnection[] connections = [new(HostPort, _deviceEnd.Number), new(OwnPort, _ownDeviceEnd.Number, guestListens: true), .. _programs.Connections];
        _device = new VsockDevice(GuestCid, connections, new BackingWatch(_epoll), () => _now, _programs.Requests);
    }

    public override VirtioDevice Device => _device;

    public override int BusyQueues => 2;

    public override bool AnswersAtOnce => false; // receive buffers wait for something to receive

    public override bool TryAddRequest(ref InputReader input, int queueIndex, FuzzQueue queue) =>
        queueIndex == 0 ? TryAddRoom(ref input, queue) : TryAddPacket(ref input, queue);

    public override void Completed(int queueIndex, ushort head, uint writtenBytes)
    {
        if (queueIndex != 0 || !_room.Remove(head, out FuzzBuffer[]? buffers))
        {
            return;
        }

        Span<byte> packet = _scratch.AsSpan(0, (int)Math.Min(writtenBytes, (uint)_scratch.Length));
        RequestCutter.ReadWritable(Guest, buffers, 0, packet);
        if (packet.Length < VsockPacketHeader.SizeBytes)
        {
            throw new FindingException($"vsock: a packet of {packet.Length} bytes");
        }

        VsockPacketHeader header = VsockPacketHeader.Decode(packet);
        Reached.Note(60, (int)header.Operation);
        if (header.LengthBytes != packet.Length - VsockPacketHeader.SizeBytes || header.DestinationCid != GuestCid)
        {
            throw new FindingException("vsock: a header that does not match its packet");
        }

        if (header.SourcePort == VsockPrograms.Port)
        {
            _many.TryGetValue(header.DestinationPort, out (uint Delivered, byte Expects) connection);
            // Each connection is another: what comes after the response is its beginning.
            connection = header.Operation == VsockOperation.Response ? default : connection;
            Take(header, packet, ref connection.Delivered, ref connection.Expects);
            _many[header.DestinationPort] = connection;
        }
        else
        {
            int port = header.SourcePort == HostPort ? 0 : 1;
            Take(header, packet, ref _delivered[port], ref _guestExpects[port]);
        }
    }

    private void Take(in VsockPacketHeader header, ReadOnlySpan<byte> packet, ref uint delivered, ref byte expects)
    {
        if (header.Operation != VsockOperation.Data)
        {
            return;
        }

        delivered += header.LengthBytes;
        if (_honest && delivered > HonestCredit)
        {
            throw new FindingException($"vsock: {delivered} bytes were sent to a guest that gave leave for {HonestCredit}");
        }

        foreach (byte value in packet[VsockPacketHeader.SizeBytes..])
        {
            if (value != expects)
            {
                throw new FindingException("vsock: bytes to the guest are lost or changed");
            }

            expects = unchecked((byte)(expects + 1));
        }
    }

    public override bool Turn()
    {
        _programs.Turn(_device);
        Span<EpollReady> ready = stackalloc EpollReady[4];
        int count = _epoll.Wait(ready, 0);
        foreach (EpollReady entry in ready[..Math.Max(count, 0)])
        {
            const EpollEvents Gone = EpollEvents.HangUp | EpollEvents.Error;
            _device.BackingReady(LoopTag.IndexOf(entry.Tag), (entry.Events & (EpollEvents.Readable | Gone)) != 0, (entry.Events & (EpollEvents.Writable | Gone)) != 0);
        }

        _now += TurnNanoseconds;
        return _device.Work();
    }

    public override void Disturb(ref InputReader input)
    {
        int action = input.Below(20);
        if (action >= 10)
        {
            _programs.Disturb(ref input);
            return;
        }

        int port = action / 5;
        FdHandle hostEnd = port == 0 ? _hostEnd : _ownHostEnd;
        switch (action % 5)
        {
            case 0 or 1:
                int count = input.OneIn(3) ? input.U16() % 4096 : input.Below(64);
                for (int index = 0; index < count; index++)
                {
                    _scratch[index] = unchecked((byte)(_hostNext[port] + index));
                }

                int sent = UnixSocket.Send(hostEnd.Number, _scratch.AsSpan(0, count), []);
                _hostNext[port] = unchecked((byte)(_hostNext[port] + Math.Max(sent, 0)));
                break;
            case 2 or 3:
                _ = FdIo.Read(hostEnd.Number, _scratch);
                break;
            default:
                if (input.OneIn(4))
                {
                    _ = input.OneIn(2) ? UnixSocket.ShutdownRead(hostEnd.Number) : UnixSocket.ShutdownWrite(hostEnd.Number);
                }

                break;
        }
    }

    public override void QueueStarted(int queueIndex)
    {
        if (queueIndex == 0)
        {
            _room.Clear();
        }
    }

    public override void Dispose()
    {
        _programs.Dispose();
        _deviceEnd.Dispose();
        _hostEnd.Dispose();
        _ownDeviceEnd.Dispose();
        _ownHostEnd.Dispose();
        _epoll.Dispose();
    }

    private bool TryAddRoom(ref InputReader input, FuzzQueue queue)
    {
        _cutter.Begin();
        int length = input.OneIn(12) ? input.Below(60) : VsockPacketHeader.SizeBytes + 1 + (input.OneIn(3) ? input.U16() % 4096 : input.Below(128));
        if (!_cutter.TryAddWritable(ref input, length) || !queue.TryAdd(_cutter.Buffers, input.OneIn(4), out ushort head))
        {
            return false;
        }

        _room[head] = _cutter.Buffers.ToArray();
        return true;
    }

    private bool TryAddPacket(ref InputReader input, FuzzQueue queue)
    {
        if (!Guest.Auditor.Strict && input.OneIn(2))
        {
            return TryAddHugePacket(ref input, queue);
        }

        int dataBytes = input.OneIn(3) ? input.Below(256) : input.OneIn(4) ? input.U16() % 4096 : 0;
        VsockOperation operation = input.OneIn(10)
            ? (VsockOperation)input.U16()
            : input.Pick<VsockOperation>([VsockOperation.Request, VsockOperation.Request, VsockOperation.Data, VsockOperation.Data, VsockOperation.Data, VsockOperation.CreditUpdate, VsockOperation.CreditRequest, VsockOperation.Shutdown, VsockOperation.Reset, VsockOperation.Response]);
        bool own = input.OneIn(3); // of the guest's own port
        bool many = !own && input.OneIn(3);
        VsockPacketHeader header = new(
            input.OneIn(12) ? input.Edge() : GuestCid,
            input.OneIn(12) ? input.Edge() : VsockPacketHeader.HostCid,
            input.OneIn(12) ? input.Edge32() : own ? OwnPort : many ? 77 + (uint)input.Below(6) : 77,
            input.OneIn(12) ? input.Edge32() : own ? OwnPort : many ? VsockPrograms.Port : HostPort,
            input.OneIn(8) ? input.Edge32() : (uint)dataBytes,
            input.OneIn(12) ? input.U16() : VsockPacketHeader.StreamType,
            operation,
            (VsockShutdown)(input.OneIn(8) ? input.Edge32() : (uint)input.Below(4)),
            _honest ? HonestCredit : input.OneIn(3) ? input.Edge32() : 0x1_0000,
            _honest ? 0 : input.OneIn(4) ? input.Edge32() : 0);
        Span<byte> packet = _scratch.AsSpan(0, VsockPacketHeader.SizeBytes + dataBytes);
        header.Encode(packet);
        packet[VsockPacketHeader.SizeBytes..].Fill(0xDA);
        _cutter.Begin();
        packet = input.OneIn(16) ? packet[..(1 + input.Below(VsockPacketHeader.SizeBytes))] : packet;
        return _cutter.TryAddReadable(ref input, packet) && (!input.OneIn(16) || _cutter.TryAddWritable(ref input, 16)) && queue.TryAdd(_cutter.Buffers, input.OneIn(4), out _);
    }

    // One small buffer named many times: a few of these fill what the device holds for a host that does not read.
    private bool TryAddHugePacket(ref InputReader input, FuzzQueue queue)
    {
        const int Repeats = 15;
        Span<FuzzBuffer> buffers = stackalloc FuzzBuffer[1 + Repeats];
        VsockPacketHeader header = new(
            GuestCid, VsockPacketHeader.HostCid, 77, HostPort, Repeats * 4096, VsockPacketHeader.StreamType, VsockOperation.Data, VsockShutdown.None, HonestCredit, 0);
        header.Encode(_scratch);
        if (!Guest.TryAllocate(VsockPacketHeader.SizeBytes, 1, ByteUse.Read, out ulong address) || !Guest.TryAllocate(0, 1, ByteUse.None, out ulong data))
        {
            return false;
        }

        Guest.Write(address, _scratch.AsSpan(0, VsockPacketHeader.SizeBytes));
        buffers[0] = new FuzzBuffer(address, VsockPacketHeader.SizeBytes, false);
        data = Math.Min(data, FuzzGuest.LowStart + FuzzGuest.LowBytes - 4096);
        buffers[1..].Fill(new FuzzBuffer(data, 4096, false));
        return queue.TryAdd(buffers, indirect: true, out _);
    }
}
