namespace Sandbox.VhostUser;

/// <content>Replies. Each returns how many bytes of the buffer to send; the buffer holds <see cref="VhostUserLimits.MaxMessageBytes"/>.</content>
public sealed partial class BackendSession
{
    /// <summary>The reply to every action but ring base, configuration and records in flight; 0 when none is due.</summary>
    public static int WriteReply(in BackendAction action, bool succeeded, Span<byte> buffer)
    {
        switch (action.Reply)
        {
            case ReplyKind.Value:
                return WriteValueReply(action.Request, action.Value, buffer);
            case ReplyKind.Acknowledge:
                return WriteValueReply(action.Request, succeeded ? 0UL : 1UL, buffer);
            default:
                return 0;
        }
    }

    /// <summary>
    /// The reply to GET_VRING_BASE. <paramref name="nextAvailableIndex"/> is the first index that the device has not taken; for a ring
    /// that did not run it is <see cref="BackendAction.Value"/>. The session goes on from there if the ring is started again.
    /// </summary>
    public int WriteRingBaseReply(in BackendAction action, ushort nextAvailableIndex, Span<byte> buffer)
    {
        _ = _rings[action.Queue].SetBase(nextAvailableIndex); // the ring was stopped by this very action
        VhostUserCodec.WriteHeader(buffer, new MessageHeader(action.Request, MessageFlags.Version1 | MessageFlags.Reply, RingState.SizeBytes));
        VhostUserCodec.WriteRingState(buffer[MessageHeader.SizeBytes..], new RingState((uint)action.Queue, nextAvailableIndex));
        return MessageHeader.SizeBytes + RingState.SizeBytes;
    }

    /// <summary>
    /// The reply to GET_CONFIG from the device's whole configuration space. A frontend may know a longer layout than the device has:
    /// the bytes it lacks are zero. A range beyond the protocol's maximum is answered with an empty payload, its word for failure.
    /// </summary>
    public static int WriteConfigReply(in BackendAction action, ReadOnlySpan<byte> configSpace, Span<byte> buffer)
    {
        ConfigRange range = action.Config;
        bool inside = range.OffsetBytes <= VhostUserLimits.MaxConfigBytes && range.LengthBytes <= VhostUserLimits.MaxConfigBytes - range.OffsetBytes;
        uint payloadBytes = inside ? ConfigRange.SizeBytes + range.LengthBytes : 0;
        VhostUserCodec.WriteHeader(buffer, new MessageHeader(action.Request, MessageFlags.Version1 | MessageFlags.Reply, payloadBytes));
        if (inside)
        {
            Span<byte> payload = buffer.Slice(MessageHeader.SizeBytes, (int)payloadBytes);
            VhostUserCodec.WriteConfigRange(payload, range);
            Span<byte> bytes = payload[ConfigRange.SizeBytes..];
            bytes.Clear();
            ReadOnlySpan<byte> known = configSpace[Math.Min((int)range.OffsetBytes, configSpace.Length)..];
            known[..Math.Min(known.Length, bytes.Length)].CopyTo(bytes);
        }

        return MessageHeader.SizeBytes + (int)payloadBytes;
    }

    /// <summary>The reply to GET_INFLIGHT_FD, as long as the request was; an area of no queues where none can be had. The fd goes with it.</summary>
    public static int WriteInflightReply(in BackendAction action, uint payloadBytes, bool succeeded, Span<byte> buffer)
    {
        VhostUserCodec.WriteHeader(buffer, new MessageHeader(action.Request, MessageFlags.Version1 | MessageFlags.Reply, payloadBytes));
        VhostUserCodec.WriteInflight(buffer.Slice(MessageHeader.SizeBytes, (int)payloadBytes), succeeded ? action.Inflight : default);
        return MessageHeader.SizeBytes + (int)payloadBytes;
    }

    private static int WriteValueReply(FrontendRequest request, ulong value, Span<byte> buffer)
    {
        VhostUserCodec.WriteHeader(buffer, new MessageHeader(request, MessageFlags.Version1 | MessageFlags.Reply, sizeof(ulong)));
        VhostUserCodec.WriteValue(buffer[MessageHeader.SizeBytes..], value);
        return MessageHeader.SizeBytes + sizeof(ulong);
    }
}
