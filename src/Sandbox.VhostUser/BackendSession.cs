namespace Sandbox.VhostUser;

/// <summary>
/// The backend's side of one connection: a state table. Each message becomes a <see cref="BackendAction"/>; the session owns no fd and
/// touches no memory, so a message that is refused has done nothing. After the first fault every message is refused.
/// </summary>
/// <remarks>
/// The loop of a device process: receive 12 bytes and at most <see cref="VhostUserLimits.MaxMemoryRegions"/> fds;
/// <see cref="CheckHeader"/> before a payload byte is read; receive the payload (an fd that comes with it breaks the rules);
/// <see cref="Accept"/>; carry the action out; send what <c>Write*Reply</c> made.
/// </remarks>
public sealed partial class BackendSession
{
    private readonly ulong _offeredFeatures;
    private readonly ushort _maxQueueSize;
    private readonly BackendRing[] _rings;
    private readonly ProtocolFeatures _spoken;
    private MemoryTable _memory;
    private InflightArea _inflight;
    private SessionPhase _phase = SessionPhase.Greeting;
    private ProtocolFeatures _protocolFeatures;
    private bool _failed;
    private ulong _agreedFeatures;

    /// <param name="offeredFeatures">Virtio feature bits of the device, VIRTIO_F_VERSION_1 among them; bit 30 is the session's own affair.</param>
    /// <param name="queueCount">Rings of the device, 1 to 256.</param>
    /// <param name="maxQueueSize">Largest ring the device takes, a power of two.</param>
    /// <param name="keepsInflight">Offer to keep a record of requests in flight.</param>
    public BackendSession(ulong offeredFeatures, int queueCount, ushort maxQueueSize, bool keepsInflight = false)
    {
        _spoken = ProtocolFeatures.Spoken | (keepsInflight ? ProtocolFeatures.InflightShmFd : ProtocolFeatures.None);
        ArgumentOutOfRangeException.ThrowIfLessThan(queueCount, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(queueCount, VhostUserLimits.MaxQueues);
        _offeredFeatures = offeredFeatures | TransportFeatures.ProtocolFeatures;
        _maxQueueSize = maxQueueSize;
        _rings = new BackendRing[queueCount];
    }

    /// <summary>The virtio features that the driver accepted; zero before SET_FEATURES.</summary>
    public ulong DeviceFeatures { get; private set; }

    /// <summary>The memory table last accepted.</summary>
    public MemoryTable Memory => _memory;

    public int QueueCount => _rings.Length;

    /// <summary>Whether the device is to process the ring now.</summary>
    public bool IsRunning(int queue) => _rings[queue].Running;

    /// <summary>Where a running ring lies. For a ring that was never configured: our own bug.</summary>
    public RingLayout GetRing(int queue) =>
        _rings[queue].Resolve(_memory, out RingLayout layout) == VhostUserFault.None
            ? layout
            : throw new InvalidOperationException("the ring is not configured");

    /// <summary>Where a ring stood when it was paused (<see cref="RingChange.Pause"/>): it goes on from there when it is enabled again.</summary>
    public void KeepPosition(int queue, ushort nextAvailableIndex) => _ = _rings[queue].SetBase(nextAvailableIndex); // not running: nothing to refuse

    /// <summary>Judges a header before its payload is read. On a fault: close the fds that came, end the session.</summary>
    public VhostUserFault CheckHeader(in MessageHeader header, int fdCount)
    {
        VhostUserFault fault = JudgeHeader(header, fdCount);
        _failed |= fault != VhostUserFault.None;
        return fault;
    }

    /// <summary>
    /// What to do for a message whose header passed <see cref="CheckHeader"/>.
    /// </summary>
    /// <param name="header">The header.</param>
    /// <param name="payload">Exactly <see cref="MessageHeader.PayloadBytes"/> bytes.</param>
    /// <param name="fdCount">How many fds came with the header.</param>
    public BackendAction Accept(in MessageHeader header, ReadOnlySpan<byte> payload, int fdCount)
    {
        VhostUserFault fault = JudgeHeader(header, fdCount);
        BackendAction action = default;
        if (fault == VhostUserFault.None)
        {
            fault = payload.Length == header.PayloadBytes ? Decide(header, payload, fdCount, out action) : VhostUserFault.BadPayloadSize;
        }

        if (fault != VhostUserFault.None)
        {
            _failed = true;
            return new BackendAction(BackendActionKind.EndSession, header.Request, fault, FdDisposition.Close, 0, RingChange.None, ReplyKind.None, 0, default, default);
        }

        ReplyKind reply = RequestRules.Of(header.Request).Reply;
        bool acknowledge = reply == ReplyKind.None
            && (header.Flags & MessageFlags.NeedReply) != 0
            && (_protocolFeatures & ProtocolFeatures.ReplyAck) != 0;
        return action with { Request = header.Request, Reply = acknowledge ? ReplyKind.Acknowledge : reply };
    }

    private VhostUserFault JudgeHeader(in MessageHeader header, int fdCount)
    {
        RequestRule rule = RequestRules.Of(header.Request);
        if (_failed || rule.Phases == SessionPhase.Never)
        {
            return VhostUserFault.UnknownRequest;
        }

        if ((rule.Phases & _phase) == 0)
        {
            return VhostUserFault.RequestOutOfOrder;
        }

        if ((header.Flags & MessageFlags.Reply) != 0)
        {
            return VhostUserFault.BadHeaderFlags;
        }

        if ((rule.Needs & ~_protocolFeatures) != 0)
        {
            return VhostUserFault.FeatureNotNegotiated;
        }

        if (header.PayloadBytes < rule.MinPayloadBytes || header.PayloadBytes > rule.MaxPayloadBytes)
        {
            return VhostUserFault.BadPayloadSize;
        }

        return rule.AllowsFdCount(fdCount) ? VhostUserFault.None : VhostUserFault.BadFdCount;
    }
}
