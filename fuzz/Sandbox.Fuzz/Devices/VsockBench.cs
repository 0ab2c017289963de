using Sandbox.Device;
using Sandbox.Device.Vsock;
using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Guest;
using Sandbox.Linux;
using Sandbox.Virtio.Vsock;

namespace Sandbox.Fuzz.Devices;

/// <summary>The vsock device between a guest and programs of the host's, which say of each other's bytes what they are to be.</summary>
internal sealed class VsockBench : DeviceBench
{
    private const uint GuestCid = 3;
    private const uint AgentGuestPort = 77;
    private const uint HonestCredit = 2048;
    private const long TurnNanoseconds = 20_000_000;
    private const int SettleTurns = 600; // the largest backlog, in what a socket takes at once

    private static readonly VsockOperation[] Any =
    [
        VsockOperation.Request, VsockOperation.Response, VsockOperation.Reset, VsockOperation.Shutdown, VsockOperation.Data, VsockOperation.CreditUpdate,
        VsockOperation.CreditRequest, VsockOperation.Request,
    ];

    private static readonly VsockOperation[] Talking =
    [
        VsockOperation.Data, VsockOperation.Data, VsockOperation.Data, VsockOperation.Data, VsockOperation.Data, VsockOperation.CreditUpdate,
        VsockOperation.CreditRequest, VsockOperation.Shutdown,
    ];

    private readonly RequestCutter _cutter;
    private readonly Epoll _epoll = new();
    private readonly VsockDevice _device;
    private readonly VsockPrograms _programs;
    private readonly VsockGuest _guest;
    private readonly Dictionary<ushort, FuzzBuffer[]> _room = [];
    private readonly byte[] _scratch = new byte[8192];
    private readonly bool _honest; // the guest's driver tells its credit as it is
    private readonly uint _firstForwarded; // what it begins to count from: any number is as good (§5.10.6.3)
    private readonly bool[] _isData = new bool[FuzzGuest.LowBytes];
    private long _now;

    /// <param name="guest">Whose memory it is.</param>
    /// <param name="ways">Bits: 8 an honest driver, 16 sockets of the mapped ports have been used up, 32 counts that soon begin again at zero.</param>
    public VsockBench(FuzzGuest guest, byte ways)
        : base(guest)
    {
        _honest = (ways & 8) != 0;
        _firstForwarded = (ways & 32) != 0 ? uint.MaxValue - 99 : 0;
        _cutter = new RequestCutter(guest);
        _programs = new VsockPrograms(fresh: (ways & 16) == 0);
        _guest = new VsockGuest(guest, GuestCid, VsockPrograms.OwnPort, VsockPrograms.BufferBytes);
        guest.Auditor.BeforeRead = guest.Auditor.Strict ? ReadAgain : null; // a hostile driver's is set by the script
        _device = new VsockDevice(GuestCid, _programs.Connections, new BackingWatch(_epoll), () => _now, _programs.Requests);
    }

    public override VirtioDevice Device => _device;

    public override int BusyQueues => 2;

    public override bool AnswersAtOnce => false; // receive buffers wait for something to receive

    public override bool MustAskForKicks(int queueIndex, bool atEnd) => queueIndex == 1;

    // Nobody knows what a hostile driver has said.
    private VsockGuest? Judge => Guest.Auditor.Strict ? _guest : null;

    public override bool TryAddRequest(ref InputReader input, int queueIndex, FuzzQueue queue)
    {
        if (input.OneIn(3))
        {
            _programs.Disturb(ref input, Judge); // more often than the script does
        }

        return queueIndex == 0 ? TryAddRoom(ref input, queue) : TryAddPacket(ref input, queue);
    }

    public override void Completed(int queueIndex, ushort head, uint writtenBytes)
    {
        if (queueIndex != 0)
        {
            _guest.Taken(head);
            return;
        }

        if (!_room.Remove(head, out FuzzBuffer[]? buffers))
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
        Reached.Note(60, (int)header.Operation | ((int)(header.SourcePort & 3) << 3));
        if (header.LengthBytes != packet.Length - VsockPacketHeader.SizeBytes || header.DestinationCid != GuestCid)
        {
            throw new FindingException("vsock: a header that does not match its packet");
        }

        _guest.Receive(header, packet[VsockPacketHeader.SizeBytes..], _programs, _honest);
    }

    public override bool Turn()
    {
        _programs.Turn(_device);
        Span<EpollReady> ready = stackalloc EpollReady[8];
        int count = _epoll.Wait(ready, 0);
        foreach (EpollReady entry in ready[..Math.Max(count, 0)])
        {
            const EpollEvents Gone = EpollEvents.HangUp | EpollEvents.Error;
            _device.BackingReady(LoopTag.IndexOf(entry.Tag), (entry.Events & (EpollEvents.Readable | Gone)) != 0, (entry.Events & (EpollEvents.Writable | Gone)) != 0);
        }

        _now += TurnNanoseconds;
        return _device.Work();
    }

    public override void Disturb(ref InputReader input) => _programs.Disturb(ref input, Judge);

    public override void QueueStarted(int queueIndex)
    {
        if (queueIndex == 0)
        {
            _room.Clear();
        }

        if (queueIndex < BusyQueues)
        {
            _guest.Stopped(transmit: queueIndex == 1);
        }
    }

    /// <summary>The programs read all that comes to them; then nothing of what was sent may be missing.</summary>
    public override void CheckAtEnd(bool behaved)
    {
        if (!behaved || !_guest.IsCertain)
        {
            return;
        }

        bool launcherOwes = _programs.TakeQuestion();
        bool hasRoom = _room.Count != 0;
        bool moves = true;
        Guest.Auditor.BeforeRead = ReadAgain;
        for (int turn = 0; moves && turn < SettleTurns; turn++)
        {
            moves = Turn();
            moves |= _programs.ReadAll(_guest);
        }

        Guest.Auditor.BeforeRead = null;
        _guest.RequireEnd(_programs, hasRoom, launcherOwes);
    }

    public override void Dispose()
    {
        _programs.Dispose();
        _epoll.Dispose();
    }

    private bool TryAddRoom(ref InputReader input, FuzzQueue queue)
    {
        _cutter.Begin();
        int length = input.OneIn(16) ? input.Below(60) : VsockPacketHeader.SizeBytes + 1 + (input.OneIn(4) ? input.U16() % 2048 : input.Below(200));
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

        int which = input.Byte();
        bool own = which % 8 == 1;
        uint hostPort = own ? VsockPrograms.OwnPort : VsockPrograms.AgentPort + (uint)(which % 8 < 3 ? 0 : 1 + (which & 1));
        uint guestPort = own ? VsockPrograms.OwnPort : AgentGuestPort + (hostPort == VsockPrograms.AgentPort ? 0 : (uint)(which >> 3) % 3);
        VsockTalk? talk = _guest.Current(hostPort, guestPort);
        VsockOperation operation = !Guest.Auditor.Strict || input.OneIn(8) ? Any[input.Below(Any.Length)]
            : talk is { Established: true, Closing: false } ? Talking[input.Below(Talking.Length)]
            : own ? VsockOperation.Response : VsockOperation.Request;
        bool begins = operation is VsockOperation.Request or VsockOperation.Response;
        if (begins && _guest.IsFull)
        {
            return false;
        }

        int dataBytes = operation == VsockOperation.Data ? DataBytes(ref input, talk, hostPort) : 0;
        uint leave = Credit(ref input, begins ? null : talk, out uint bufferBytes, out uint forwarded);
        VsockPacketHeader header = Odd(ref input, new VsockPacketHeader(
            GuestCid, VsockPacketHeader.HostCid, guestPort, hostPort, (uint)dataBytes, VsockPacketHeader.StreamType, operation,
            operation == VsockOperation.Shutdown ? (VsockShutdown)input.Below(4) : VsockShutdown.None, bufferBytes, forwarded));
        Span<byte> packet = _scratch.AsSpan(0, VsockPacketHeader.SizeBytes + dataBytes);
        header.Encode(packet);
        talk = _guest.Current(header.DestinationPort, header.SourcePort); // another's, where a port is odd
        VsockStream.Fill(packet[VsockPacketHeader.SizeBytes..], talk?.Serial ?? 0, talk?.Sent ?? 0);
        _cutter.Begin();
        packet = input.OneIn(32) ? packet[..(1 + input.Below(VsockPacketHeader.SizeBytes))] : packet;
        bool added = _cutter.TryAddReadable(ref input, packet) && (!input.OneIn(16) || _cutter.TryAddWritable(ref input, 16)) && queue.TryAdd(_cutter.Buffers, input.OneIn(4), out ushort head)
            && Sent(head, header, packet.Length, leave);
        return added;
    }

    // What a socket does not take of a packet's data is read once more, into a buffer: it means nothing to the device, so that is no double fetch.
    private void ReadAgain(ulong address, uint lengthBytes)
    {
        ulong start = address - FuzzGuest.LowStart;
        if (address >= FuzzGuest.LowStart && start < FuzzGuest.LowBytes && _isData[start] && !_isData.AsSpan((int)start, (int)lengthBytes).Contains(false))
        {
            Guest.Auditor.Grant(address, lengthBytes, ByteUse.Read);
        }
    }

    private void RememberData()
    {
        int header = VsockPacketHeader.SizeBytes;
        foreach (FuzzBuffer buffer in _cutter.Buffers)
        {
            int before = Math.Min(header, (int)buffer.LengthBytes);
            header -= before;
            if (!buffer.DeviceWrites)
            {
                _isData.AsSpan((int)(buffer.Address - FuzzGuest.LowStart) + before, (int)buffer.LengthBytes - before).Fill(true);
            }
        }
    }

    private bool Sent(ushort head, in VsockPacketHeader header, int packetBytes, uint leave)
    {
        if (packetBytes >= VsockPacketHeader.SizeBytes)
        {
            RememberData();
            _guest.Send(head, header, (uint)(packetBytes - VsockPacketHeader.SizeBytes), leave);
        }

        return true;
    }

    // Mostly what the device has room for, as far as the guest knows.
    private int DataBytes(ref InputReader input, VsockTalk? talk, uint hostPort)
    {
        int bytes = input.OneIn(3) ? input.Below(256) : input.U16() % 4096;
        uint held = talk is null ? 0 : talk.Sent - talk.ForwardedTold;
        uint room = _guest.RoomOf(hostPort);
        return input.OneIn(12) || held > room ? bytes : (int)Math.Min((uint)bytes, room - held);
    }

    // What the guest says of its own buffer. An honest driver reads some of what came, and may take back what it offered.
    private uint Credit(ref InputReader input, VsockTalk? talk, out uint bufferBytes, out uint forwarded)
    {
        int choice = input.Byte();
        if (!_honest)
        {
            bufferBytes = choice % 3 == 2 ? input.Edge32() : 0x1_0000;
            forwarded = choice % 5 == 4 ? input.Edge32() : 0;
            return uint.MaxValue;
        }

        uint consumed = 0;
        if (talk is not null)
        {
            uint waiting = talk.Delivered - talk.Consumed;
            talk.Consumed += (choice & 3) switch { 0 => waiting, 1 => waiting / 2, _ => 0 };
            consumed = talk.Consumed;
        }

        uint credit = (choice & 0x1C) == 0x1C ? (uint)(choice >> 5) * 100 : HonestCredit;
        bufferBytes = unchecked(credit - _firstForwarded); // as much more as the device takes to be under way
        forwarded = unchecked(_firstForwarded + consumed);
        return consumed + credit;
    }

    // One field in some packets is not as it should be.
    private static VsockPacketHeader Odd(ref InputReader input, in VsockPacketHeader header)
    {
        int choice = input.Byte();
        return choice < 224 ? header : (choice & 7) switch
        {
            0 => header with { SourceCid = input.Edge() },
            1 => header with { DestinationCid = input.Edge() },
            2 => header with { SourcePort = input.Edge32() },
            3 => header with { DestinationPort = input.Edge32() },
            4 => header with { LengthBytes = input.Edge32() },
            5 => header with { Type = input.U16() },
            6 => header with { Operation = (VsockOperation)input.U16() },
            _ => header with { Flags = (VsockShutdown)input.Edge32() },
        };
    }

    // One small buffer named many times: a few of these fill what the device holds for a host that does not read.
    private bool TryAddHugePacket(ref InputReader input, FuzzQueue queue)
    {
        const int Repeats = 15;
        Span<FuzzBuffer> buffers = stackalloc FuzzBuffer[1 + Repeats];
        int which = input.Byte();
        uint hostPort = VsockPrograms.AgentPort + (uint)(which % 3);
        uint guestPort = AgentGuestPort + (hostPort == VsockPrograms.AgentPort ? 0 : (uint)(which >> 3) % 3);
        VsockPacketHeader header = new(
            GuestCid, VsockPacketHeader.HostCid, guestPort, hostPort, Repeats * 4096, VsockPacketHeader.StreamType, VsockOperation.Data, VsockShutdown.None, HonestCredit, 0);
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
