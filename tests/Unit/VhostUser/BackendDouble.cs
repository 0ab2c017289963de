using Sandbox.VhostUser;

namespace Sandbox.Unit.Tests.VhostUser;

/// <summary>A backend session and a pen to write a frontend's messages with, right or wrong.</summary>
internal sealed class BackendDouble
{
    public const ulong Offered = TransportFeatures.Version1 | (1UL << 28) | (1UL << 29);
    public const ushort MaxQueueSize = 256;
    public const ulong GuestBytes = 0x10_0000;

    public BackendSession Session { get; } = new(Offered, queueCount: 2, MaxQueueSize, keepsInflight: true);

    public VhostUserFault Fault { get; private set; }

    public static MessageHeader Header(FrontendRequest request, int payloadBytes, MessageFlags flags = MessageFlags.Version1) =>
        new(request, flags, (uint)payloadBytes);

    public BackendAction Send(FrontendRequest request, ReadOnlySpan<byte> payload, int fdCount = 0, MessageFlags flags = MessageFlags.Version1)
    {
        BackendAction action = Session.Accept(Header(request, payload.Length, flags), payload, fdCount);
        Fault = action.Fault;
        return action;
    }

    public BackendAction SendValue(FrontendRequest request, ulong value, int fdCount = 0, MessageFlags flags = MessageFlags.Version1)
    {
        byte[] payload = new byte[8];
        VhostUserCodec.WriteValue(payload, value);
        return Send(request, payload, fdCount, flags);
    }

    public BackendAction SendRing(FrontendRequest request, uint index, uint value)
    {
        byte[] payload = new byte[8];
        VhostUserCodec.WriteRingState(payload, new RingState(index, value));
        return Send(request, payload);
    }

    public BackendAction SendAddresses(uint index, ulong descriptors, ulong available, ulong used, uint flags = 0)
    {
        byte[] payload = new byte[RingAddresses.SizeBytes];
        VhostUserCodec.WriteRingAddresses(
            payload, new RingAddresses(index, flags, new UserAddress(descriptors), new UserAddress(used), new UserAddress(available)));
        return Send(FrontendRequest.SetVringAddr, payload);
    }

    public BackendAction SendMemory(int fdCount, params MemoryTableRegion[] regions)
    {
        byte[] payload = new byte[8 + (32 * regions.Length)];
        WriteRegions(payload, (uint)regions.Length, regions);
        return Send(FrontendRequest.SetMemTable, payload, fdCount);
    }

    /// <summary>Written by hand: the codec's own writer cannot make a bad table.</summary>
    public static void WriteRegions(Span<byte> payload, uint count, params ReadOnlySpan<MemoryTableRegion> regions)
    {
        BitConverter.TryWriteBytes(payload, count);
        for (int index = 0; index < regions.Length; index++)
        {
            Span<byte> bytes = payload[(8 + (index * 32))..];
            BitConverter.TryWriteBytes(bytes, regions[index].GuestStart);
            BitConverter.TryWriteBytes(bytes[8..], regions[index].LengthBytes);
            BitConverter.TryWriteBytes(bytes[16..], regions[index].UserStart.Value);
            BitConverter.TryWriteBytes(bytes[24..], regions[index].FileOffset);
        }
    }

    /// <summary>Up to the memory table: what is right before a ring is set up.</summary>
    public void Agree(ulong extraFeatures = TransportFeatures.ProtocolFeatures)
    {
        _ = SendValue(FrontendRequest.SetProtocolFeatures, (ulong)ProtocolFeatures.Spoken);
        _ = Send(FrontendRequest.SetOwner, []);
        _ = SendValue(FrontendRequest.SetFeatures, TransportFeatures.Version1 | extraFeatures);
        _ = SendMemory(1, new MemoryTableRegion(0, GuestBytes, new UserAddress(0x7000_0000), 0));
    }

    /// <summary>As <see cref="Agree"/>, with records of requests in flight.</summary>
    public void AgreeInflight()
    {
        _ = SendValue(FrontendRequest.SetProtocolFeatures, (ulong)ProtocolFeatures.Wanted);
        _ = Send(FrontendRequest.SetOwner, []);
        _ = SendValue(FrontendRequest.SetFeatures, TransportFeatures.Version1 | TransportFeatures.ProtocolFeatures);
        _ = SendMemory(1, new MemoryTableRegion(0, GuestBytes, new UserAddress(0x7000_0000), 0));
    }

    public BackendAction SendInflight(FrontendRequest request, InflightArea area, int fdCount, int payloadBytes = InflightArea.PaddedPayloadBytes)
    {
        byte[] payload = new byte[payloadBytes];
        VhostUserCodec.WriteInflight(payload, area);
        return Send(request, payload, fdCount);
    }

    /// <summary>Describes ring <paramref name="index"/> with 16 entries at good addresses.</summary>
    public void Describe(uint index)
    {
        ulong start = 0x7000_0000 + (index * 0x4000);
        _ = SendRing(FrontendRequest.SetVringNum, index, 16);
        _ = SendRing(FrontendRequest.SetVringBase, index, 0);
        _ = SendAddresses(index, start, start + 0x1000, start + 0x2000);
        _ = SendValue(FrontendRequest.SetVringCall, index, fdCount: 1);
    }

    public BackendAction Kick(uint index) => SendValue(FrontendRequest.SetVringKick, index, fdCount: 1);

    public BackendAction Enable(uint index, uint on = 1) => SendRing(FrontendRequest.SetVringEnable, index, on);

    public void Run(uint index)
    {
        Agree();
        Describe(index);
        _ = Kick(index);
        _ = Enable(index);
    }
}
