namespace Sandbox.VhostUser;

/// <content>The requests, in the order in which a frontend sends them.</content>
public sealed partial class FrontendSession
{
    public int WriteGetFeatures(Span<byte> buffer) => Finish(buffer, FrontendRequest.GetFeatures, 0);

    /// <summary>Allowed once the backend has offered <see cref="TransportFeatures.ProtocolFeatures"/>.</summary>
    public int WriteGetProtocolFeatures(Span<byte> buffer) => Finish(buffer, FrontendRequest.GetProtocolFeatures, 0);

    /// <summary>Chooses from what the backend offered what this project speaks. The message itself is not yet acknowledged.</summary>
    public int WriteSetProtocolFeatures(ulong offered, Span<byte> buffer)
    {
        ProtocolFeatures chosen = (ProtocolFeatures)offered & ProtocolFeatures.Wanted;
        VhostUserCodec.WriteValue(Payload(buffer), (ulong)chosen);
        int bytes = Finish(buffer, FrontendRequest.SetProtocolFeatures, sizeof(ulong));
        _protocolFeatures = chosen;
        return bytes;
    }

    public bool HasConfig => (_protocolFeatures & ProtocolFeatures.Config) != 0;

    public bool HasMultiQueue => (_protocolFeatures & ProtocolFeatures.MultiQueue) != 0;

    /// <summary>The backend can keep a record of requests in flight for its successor.</summary>
    public bool HasInflight => (_protocolFeatures & ProtocolFeatures.InflightShmFd) != 0;

    /// <summary>A connection to a new backend: nothing is agreed yet, and no answer is due.</summary>
    public void Restart()
    {
        _protocolFeatures = ProtocolFeatures.None;
        _pending = FrontendRequest.None;
        _pendingReply = ReplyKind.None;
    }

    /// <summary>Asks for fresh records of requests in flight; their file comes with the answer.</summary>
    public int WriteGetInflight(ushort queueCount, ushort queueSize, Span<byte> buffer) =>
        WriteInflight(FrontendRequest.GetInflightFd, new InflightArea(0, 0, queueCount, queueSize), buffer);

    /// <summary>Hands over the records of requests in flight; their file goes with it.</summary>
    public int WriteSetInflight(in InflightArea area, Span<byte> buffer) => WriteInflight(FrontendRequest.SetInflightFd, area, buffer);

    public int WriteSetOwner(Span<byte> buffer) => Finish(buffer, FrontendRequest.SetOwner, 0);

    public int WriteGetQueueCount(Span<byte> buffer) => Finish(buffer, FrontendRequest.GetQueueNum, 0);

    /// <summary>Asks for the first <paramref name="lengthBytes"/> of the configuration space; the request carries as many zero bytes.</summary>
    public int WriteGetConfig(uint lengthBytes, Span<byte> buffer)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lengthBytes, (uint)VhostUserLimits.MaxConfigBytes);
        int payloadBytes = ConfigRange.SizeBytes + (int)lengthBytes;
        Span<byte> payload = Payload(buffer)[..payloadBytes];
        payload.Clear();
        VhostUserCodec.WriteConfigRange(payload, new ConfigRange(0, lengthBytes, 0));
        return Finish(buffer, FrontendRequest.GetConfig, payloadBytes, lengthBytes);
    }

    /// <summary>Writes configuration on behalf of the driver; small enough for one message.</summary>
    public int WriteSetConfig(uint offsetBytes, ReadOnlySpan<byte> bytes, Span<byte> buffer)
    {
        Span<byte> payload = Payload(buffer);
        VhostUserCodec.WriteConfigRange(payload, new ConfigRange(offsetBytes, (uint)bytes.Length, 0));
        bytes.CopyTo(payload[ConfigRange.SizeBytes..]);
        return Finish(buffer, FrontendRequest.SetConfig, ConfigRange.SizeBytes + bytes.Length);
    }

    /// <summary>The features that the driver accepted; bit 30 is added because this session needs it for enabling rings.</summary>
    public int WriteSetFeatures(ulong deviceFeatures, Span<byte> buffer)
    {
        VhostUserCodec.WriteValue(Payload(buffer), deviceFeatures | TransportFeatures.ProtocolFeatures);
        return Finish(buffer, FrontendRequest.SetFeatures, sizeof(ulong));
    }

    /// <summary>The guest's memory; one fd for each region goes with it.</summary>
    public int WriteSetMemoryTable(in MemoryTable table, Span<byte> buffer)
    {
        int bytes = VhostUserCodec.WriteMemoryTable(Payload(buffer), table);
        return Finish(buffer, FrontendRequest.SetMemTable, bytes);
    }

    public int WriteSetRingSize(int queue, uint size, Span<byte> buffer) => WriteRing(FrontendRequest.SetVringNum, queue, size, buffer);

    public int WriteSetRingBase(int queue, ushort nextAvailableIndex, Span<byte> buffer) =>
        WriteRing(FrontendRequest.SetVringBase, queue, nextAvailableIndex, buffer);

    public int WriteSetRingAddresses(in RingAddresses addresses, Span<byte> buffer)
    {
        VhostUserCodec.WriteRingAddresses(Payload(buffer), addresses);
        return Finish(buffer, FrontendRequest.SetVringAddr, RingAddresses.SizeBytes);
    }

    /// <summary>The eventfd that the guest's notifications arrive on; it goes with the message.</summary>
    public int WriteSetRingKick(int queue, Span<byte> buffer) => WriteRingEvent(FrontendRequest.SetVringKick, queue, buffer);

    /// <summary>The eventfd that injects the device's interrupt; it goes with the message.</summary>
    public int WriteSetRingCall(int queue, Span<byte> buffer) => WriteRingEvent(FrontendRequest.SetVringCall, queue, buffer);

    public int WriteSetRingEnable(int queue, bool enabled, Span<byte> buffer) =>
        WriteRing(FrontendRequest.SetVringEnable, queue, enabled ? 1u : 0u, buffer);

    /// <summary>Stops the ring: after the reply the backend touches it no more.</summary>
    public int WriteGetRingBase(int queue, Span<byte> buffer) => WriteRing(FrontendRequest.GetVringBase, queue, 0, buffer);

    // With the padding that most implementations have, and demand.
    private int WriteInflight(FrontendRequest request, in InflightArea area, Span<byte> buffer)
    {
        VhostUserCodec.WriteInflight(Payload(buffer)[..InflightArea.PaddedPayloadBytes], area);
        return Finish(buffer, request, InflightArea.PaddedPayloadBytes, ((uint)area.QueueCount << 16) | area.QueueSize);
    }

    private int WriteRing(FrontendRequest request, int queue, uint value, Span<byte> buffer)
    {
        VhostUserCodec.WriteRingState(Payload(buffer), new RingState((uint)queue, value));
        return Finish(buffer, request, RingState.SizeBytes, (uint)queue);
    }

    /// <summary>The eventfd by which the backend tells that a ring is broken; it goes with the message.</summary>
    public int WriteSetRingError(int queue, Span<byte> buffer) => WriteRingEvent(FrontendRequest.SetVringErr, queue, buffer);

    private int WriteRingEvent(FrontendRequest request, int queue, Span<byte> buffer)
    {
        VhostUserCodec.WriteRingEvent(Payload(buffer), new RingEvent(queue, HasFd: true));
        return Finish(buffer, request, RingEvent.SizeBytes, (uint)queue);
    }

    private static Span<byte> Payload(Span<byte> buffer) => buffer[MessageHeader.SizeBytes..];
}
