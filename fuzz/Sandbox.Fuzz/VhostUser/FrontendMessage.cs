using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Guest;
using Sandbox.VhostUser;

namespace Sandbox.Fuzz.VhostUser;

/// <summary>What comes with a message.</summary>
internal enum FdKind
{
    None,
    Memory,
    Event,
    Records,
}

/// <summary>
/// A front end's message from an input: most fields right, some wrong. The guest's user addresses are
/// <see cref="UserBase"/> + guest address.
/// </summary>
internal sealed class FrontendMessage
{
    public const ulong UserBase = 0x7000_0000_0000;

    private static readonly FrontendRequest[] Usual =
    [
        FrontendRequest.SetVringNum, FrontendRequest.SetVringBase, FrontendRequest.SetVringAddr, FrontendRequest.SetVringKick, FrontendRequest.SetVringCall,
        FrontendRequest.SetVringErr, FrontendRequest.SetVringEnable, FrontendRequest.GetVringBase, FrontendRequest.SetMemTable, FrontendRequest.SetFeatures,
        FrontendRequest.GetConfig, FrontendRequest.SetConfig, FrontendRequest.GetFeatures, FrontendRequest.GetQueueNum, FrontendRequest.SetProtocolFeatures,
        FrontendRequest.GetInflightFd, FrontendRequest.SetInflightFd,
    ];

    private readonly byte[] _payload = new byte[VhostUserLimits.MaxPayloadBytes + 16];

    public FrontendRequest Request { get; private set; }

    public MessageFlags Flags { get; private set; }

    public int PayloadBytes { get; private set; }

    /// <summary>What the header says: mostly <see cref="PayloadBytes"/>.</summary>
    public uint ClaimedBytes { get; private set; }

    public int FdCount { get; private set; }

    public FdKind Fds { get; private set; }

    public ReadOnlySpan<byte> Payload => _payload.AsSpan(0, PayloadBytes);

    public MessageHeader Header => new(Request, Flags, ClaimedBytes);

    /// <summary>The guest's queue for a ring index.</summary>
    public static RingAddresses Addresses(uint index) => new(
        index,
        0,
        new UserAddress(UserBase + FuzzGuest.LowStart + (index * 0x4000)),
        new UserAddress(UserBase + FuzzGuest.LowStart + (index * 0x4000) + 0x2000),
        new UserAddress(UserBase + FuzzGuest.LowStart + (index * 0x4000) + 0x1000));

    public void Make(ref InputReader input)
    {
        Request = input.OneIn(12) ? (FrontendRequest)(input.Byte() % 44) : input.Pick<FrontendRequest>(Usual);
        Flags = input.OneIn(16) ? (MessageFlags)input.Edge32() : MessageFlags.Version1 | (input.OneIn(2) ? MessageFlags.NeedReply : 0);
        Fds = FdKind.None;
        FdCount = 0;
        Array.Clear(_payload);
        PayloadBytes = Fill(ref input, (uint)(input.OneIn(10) ? input.Byte() : input.Below(2)));
        FdCount = input.OneIn(16) ? input.Below(10) : FdCount;
        Fds = FdCount != 0 && Fds == FdKind.None ? FdKind.Event : Fds;
        if (input.OneIn(20) && PayloadBytes >= 4)
        {
            BitConverter.TryWriteBytes(_payload.AsSpan(input.Below(PayloadBytes - 3)), input.Edge32());
        }

        PayloadBytes = input.OneIn(20) ? input.U16() % (_payload.Length + 1) : PayloadBytes;
        ClaimedBytes = input.OneIn(20) ? input.Edge32() : (uint)PayloadBytes;
    }

    /// <summary>A row of good messages, for a beginning: the next one each time; false after the last.</summary>
    public bool TryMakeGood(int step, int queueCount, ulong features, ProtocolFeatures protocol = ProtocolFeatures.Wanted)
    {
        Flags = MessageFlags.Version1;
        FdCount = 0;
        Fds = FdKind.None;
        Array.Clear(_payload);
        const int Preamble = 5;
        const int PerRing = 6;
        uint ring = (uint)((step - Preamble) / PerRing);
        switch (step)
        {
            case 0:
                return Finish(FrontendRequest.SetOwner, 0);
            case 1:
                VhostUserCodec.WriteValue(_payload, (ulong)protocol);
                return Finish(FrontendRequest.SetProtocolFeatures, 8);
            case 2:
                VhostUserCodec.WriteValue(_payload, features | TransportFeatures.ProtocolFeatures);
                return Finish(FrontendRequest.SetFeatures, 8);
            case 3 when (protocol & ProtocolFeatures.InflightShmFd) == 0:
                goto case 4; // twice the same memory: allowed
            case 3:
                VhostUserCodec.WriteInflight(_payload, new InflightArea(0x1000, 0, (ushort)queueCount, 16));
                FdCount = 1;
                Fds = FdKind.Records;
                return Finish(FrontendRequest.SetInflightFd, InflightArea.PayloadBytes);
            case 4:
                PayloadBytes = WriteMemory();
                return Finish(FrontendRequest.SetMemTable, PayloadBytes);
            case var _ when ring >= queueCount:
                return false;
            default:
                return ((step - Preamble) % PerRing) switch
                {
                    0 => Ring(FrontendRequest.SetVringNum, ring, 16),
                    1 => Ring(FrontendRequest.SetVringBase, ring, 0),
                    2 => Address(ring),
                    3 => Event(FrontendRequest.SetVringCall, ring),
                    4 => Event(FrontendRequest.SetVringKick, ring),
                    _ => Ring(FrontendRequest.SetVringEnable, ring, 1),
                };
        }
    }

    private int Fill(ref InputReader input, uint ring)
    {
        switch (Request)
        {
            case FrontendRequest.SetMemTable:
                return WriteMemory(ref input);
            case FrontendRequest.SetVringAddr:
                RingAddresses good = Addresses(ring);
                VhostUserCodec.WriteRingAddresses(_payload, input.OneIn(3)
                    ? new RingAddresses(ring, input.OneIn(4) ? input.Edge32() : 0, Shift(ref input, good.Descriptors), Shift(ref input, good.Used), Shift(ref input, good.Available))
                    : good);
                return RingAddresses.SizeBytes;
            case FrontendRequest.SetVringKick or FrontendRequest.SetVringCall or FrontendRequest.SetVringErr:
                bool none = input.OneIn(5);
                VhostUserCodec.WriteValue(_payload, (input.OneIn(12) ? input.Edge() : ring) | (none ? 0x100u : 0));
                FdCount = none ? 0 : 1;
                Fds = none ? FdKind.None : FdKind.Event;
                return RingEvent.SizeBytes;
            case FrontendRequest.GetConfig or FrontendRequest.SetConfig:
                uint length = input.OneIn(4) ? input.Edge32() : (uint)input.Below(64);
                VhostUserCodec.WriteConfigRange(_payload, new ConfigRange(input.OneIn(3) ? input.Edge32() : 0, length, 0));
                return ConfigRange.SizeBytes + (int)Math.Min(length, VhostUserLimits.MaxConfigBytes);
            case FrontendRequest.GetInflightFd or FrontendRequest.SetInflightFd:
                ushort entries = input.OneIn(4) ? input.U16() : (ushort)16;
                ushort records = input.OneIn(4) ? input.U16() : (ushort)1;
                ulong size = input.OneIn(3) ? input.Edge() : Request == FrontendRequest.SetInflightFd ? 0x1000u : 0;
                VhostUserCodec.WriteInflight(_payload, new InflightArea(size, input.OneIn(4) ? input.Edge() : 0x1000u * (uint)input.Below(3), records, entries));
                FdCount = Request == FrontendRequest.SetInflightFd ? 1 : 0;
                Fds = FdCount != 0 ? FdKind.Records : FdKind.None;
                return input.OneIn(3) ? InflightArea.PaddedPayloadBytes : InflightArea.PayloadBytes;
            case FrontendRequest.SetFeatures:
                VhostUserCodec.WriteValue(_payload, TransportFeatures.Version1 | (input.OneIn(4) ? input.Edge() : input.OneIn(3) ? 0 : TransportFeatures.ProtocolFeatures));
                return sizeof(ulong);
            case FrontendRequest.SetProtocolFeatures:
                VhostUserCodec.WriteValue(_payload, input.OneIn(4) ? input.Edge() : (ulong)ProtocolFeatures.Wanted & input.Edge());
                return sizeof(ulong);
            case FrontendRequest.SetVringNum or FrontendRequest.SetVringBase or FrontendRequest.SetVringEnable or FrontendRequest.GetVringBase:
                uint value = Request == FrontendRequest.SetVringEnable && !input.OneIn(8) ? (uint)input.Below(2) : input.OneIn(3) ? input.Edge32() : 1u << input.Below(9);
                VhostUserCodec.WriteRingState(_payload, new RingState(ring, value));
                return RingState.SizeBytes;
            default:
                return (int)Math.Min(RequestRules.Of(Request).MinPayloadBytes, (uint)_payload.Length);
        }
    }

    private int WriteMemory()
    {
        MemoryTable table = default;
        foreach (Memory.GuestMemoryRegion region in FuzzGuest.Regions)
        {
            table.TryAdd(new MemoryTableRegion(region.Start.Value, region.LengthBytes, new UserAddress(UserBase + region.Start.Value), region.FileOffset));
        }

        FdCount = table.Count;
        Fds = FdKind.Memory;
        return VhostUserCodec.WriteMemoryTable(_payload, table);
    }

    private int WriteMemory(ref InputReader input)
    {
        if (!input.OneIn(2))
        {
            return WriteMemory();
        }

        uint count = (uint)input.Below(10);
        BitConverter.TryWriteBytes(_payload, input.OneIn(8) ? input.Edge32() : count);
        int at = 8;
        for (uint index = 0; index < count && at + 32 <= VhostUserLimits.MaxPayloadBytes; index++, at += 32)
        {
            ulong guest = input.OneIn(4) ? input.Edge() : FuzzGuest.LowStart + (0x2000ul * index);
            ulong length = input.OneIn(4) ? input.Edge() : 0x1000ul * (1u + (uint)input.Below(3));
            ulong user = input.OneIn(4) ? input.Edge() : input.OneIn(6) ? UserBase + FuzzGuest.LowStart : unchecked(UserBase + guest);
            ulong offset = input.OneIn(4) ? input.Edge() : 0x1000ul * (uint)input.Below(40);
            BitConverter.TryWriteBytes(_payload.AsSpan(at), guest);
            BitConverter.TryWriteBytes(_payload.AsSpan(at + 8), length);
            BitConverter.TryWriteBytes(_payload.AsSpan(at + 16), user);
            BitConverter.TryWriteBytes(_payload.AsSpan(at + 24), offset);
        }

        FdCount = (int)Math.Min(count, 8);
        Fds = FdKind.Memory;
        return at;
    }

    private static UserAddress Shift(ref InputReader input, UserAddress good) => input.Below(4) switch
    {
        0 => good,
        1 => new UserAddress(UserBase + FuzzGuest.LowStart + FuzzGuest.LowBytes - ((ulong)input.Byte() << input.Below(6))),
        2 => new UserAddress(unchecked(good.Value + input.Byte())),
        _ => new UserAddress(input.Edge()),
    };

    private bool Ring(FrontendRequest request, uint index, uint value)
    {
        VhostUserCodec.WriteRingState(_payload, new RingState(index, value));
        return Finish(request, RingState.SizeBytes);
    }

    private bool Address(uint index)
    {
        VhostUserCodec.WriteRingAddresses(_payload, Addresses(index));
        return Finish(FrontendRequest.SetVringAddr, RingAddresses.SizeBytes);
    }

    private bool Event(FrontendRequest request, uint index)
    {
        VhostUserCodec.WriteRingEvent(_payload, new RingEvent((int)index, true));
        FdCount = 1;
        Fds = FdKind.Event;
        return Finish(request, RingEvent.SizeBytes);
    }

    private bool Finish(FrontendRequest request, int payloadBytes)
    {
        Request = request;
        PayloadBytes = payloadBytes;
        ClaimedBytes = (uint)payloadBytes;
        return true;
    }
}
