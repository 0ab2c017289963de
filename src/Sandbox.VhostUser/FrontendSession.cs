namespace Sandbox.VhostUser;

/// <summary>
/// The frontend's side of one connection: writes requests one at a time and judges the replies of a backend that nobody vouches for. Each
/// <c>Write</c> method fills a buffer of <see cref="VhostUserLimits.MaxMessageBytes"/> and returns how many bytes to send; if
/// <see cref="IsReplyDue"/> then, the next thing is to receive one.
/// </summary>
public sealed partial class FrontendSession
{
    private ProtocolFeatures _protocolFeatures;
    private FrontendRequest _pending;
    private ReplyKind _pendingReply;
    private uint _pendingArgument;

    /// <summary>Whether the request written last is answered: the next request must not be sent before.</summary>
    public bool IsReplyDue => _pendingReply != ReplyKind.None;

    /// <summary>Whether the backend confirms each request; without it a failure shows only as a closed connection.</summary>
    public bool HasAcknowledge => (_protocolFeatures & ProtocolFeatures.ReplyAck) != 0;

    /// <summary>
    /// Judges a reply's header before its payload is read. On a fault: close whatever fds came and give the backend up. Only the answer to
    /// GET_INFLIGHT_FD carries one, or none with an empty description.
    /// </summary>
    public VhostUserFault CheckReplyHeader(in MessageHeader header, int fdCount)
    {
        if (fdCount > (_pendingReply == ReplyKind.Inflight ? 1 : 0))
        {
            return VhostUserFault.BadFdCount;
        }

        // A backend may echo the need-reply flag.
        if (!IsReplyDue || header.Request != _pending || (header.Flags & MessageFlags.Reply) == 0)
        {
            return VhostUserFault.UnexpectedReply;
        }

        bool sizeFits = _pendingReply switch
        {
            ReplyKind.RingBase => header.PayloadBytes == RingState.SizeBytes,
            ReplyKind.Config => header.PayloadBytes == 0 || header.PayloadBytes == ConfigRange.SizeBytes + _pendingArgument,
            ReplyKind.Inflight => header.PayloadBytes is InflightArea.PayloadBytes or InflightArea.PaddedPayloadBytes,
            _ => header.PayloadBytes == sizeof(ulong),
        };
        return sizeFits ? VhostUserFault.None : VhostUserFault.BadPayloadSize;
    }

    /// <summary>
    /// Takes the payload of a reply whose header passed. <paramref name="value"/> is the 64-bit answer or the ring's next available index; for
    /// configuration the bytes are the payload from <see cref="ConfigRange.SizeBytes"/> on.
    /// </summary>
    public VhostUserFault AcceptReply(ReadOnlySpan<byte> payload, out ulong value)
    {
        value = 0;
        ReplyKind kind = _pendingReply;
        _pendingReply = ReplyKind.None;
        switch (kind)
        {
            case ReplyKind.Value:
                value = VhostUserCodec.ReadValue(payload);
                return VhostUserFault.None;
            case ReplyKind.Acknowledge:
                return VhostUserCodec.ReadValue(payload) == 0 ? VhostUserFault.None : VhostUserFault.Refused;
            case ReplyKind.RingBase:
                RingState state = VhostUserCodec.ReadRingState(payload);
                value = state.Value;
                return state.Index == _pendingArgument && state.Value <= ushort.MaxValue ? VhostUserFault.None : VhostUserFault.UnexpectedReply;
            case ReplyKind.Config:
                return AcceptConfig(payload);
            case ReplyKind.Inflight:
                return AcceptInflight(VhostUserCodec.ReadInflight(payload));
            default:
                return VhostUserFault.UnexpectedReply;
        }
    }

    /// <summary>What the last answer to GET_INFLIGHT_FD described; no queues where the backend has no place for records.</summary>
    public InflightArea Inflight { get; private set; }

    // The area is never mapped on this side: it only has to be handed on as it came.
    private VhostUserFault AcceptInflight(in InflightArea area)
    {
        Inflight = area.SizeBytes == 0 ? default : area;
        uint described = ((uint)area.QueueCount << 16) | area.QueueSize;
        bool sound = area.SizeBytes == 0
            || (described == _pendingArgument && area.SizeBytes <= VhostUserLimits.MaxInflightBytes && area.OffsetBytes <= VhostUserLimits.MaxInflightBytes);
        return sound ? VhostUserFault.None : VhostUserFault.BadInflightArea;
    }

    private VhostUserFault AcceptConfig(ReadOnlySpan<byte> payload)
    {
        if (payload.IsEmpty)
        {
            return VhostUserFault.Refused;
        }

        VhostUserFault fault = VhostUserCodec.ReadConfigRange(payload, out ConfigRange range);
        return fault == VhostUserFault.None && (range.OffsetBytes != 0 || range.LengthBytes != _pendingArgument) ? VhostUserFault.UnexpectedReply : fault;
    }

    private int Finish(Span<byte> buffer, FrontendRequest request, int payloadBytes, uint argument = 0)
    {
        ReplyKind reply = RequestRules.Of(request).Reply;
        MessageFlags flags = MessageFlags.Version1;
        if (reply == ReplyKind.None && HasAcknowledge)
        {
            flags |= MessageFlags.NeedReply;
            reply = ReplyKind.Acknowledge;
        }

        VhostUserCodec.WriteHeader(buffer, new MessageHeader(request, flags, (uint)payloadBytes));
        _pending = request;
        _pendingReply = reply;
        _pendingArgument = argument;
        return MessageHeader.SizeBytes + payloadBytes;
    }
}
