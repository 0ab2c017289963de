namespace Sandbox.VhostUser;

/// <summary>How far a session has come. Each value is one bit, so that a rule can allow several.</summary>
[Flags]
public enum SessionPhase
{
    /// <summary>Nothing: the phase set of a request that has no row.</summary>
    Never = 0,

    /// <summary>Connected; the frontend may look at what is offered.</summary>
    Greeting = 1,

    /// <summary>SET_OWNER came.</summary>
    Owned = 2,

    /// <summary>SET_FEATURES came: rings can be started.</summary>
    Agreed = 4,

    /// <summary>SET_OWNER and later.</summary>
    SinceOwner = Owned | Agreed,

    /// <summary>Any time.</summary>
    Always = Greeting | Owned | Agreed,
}

/// <summary>How many fds a request carries.</summary>
public enum FdRule
{
    None,

    /// <summary>One, unless the payload says "no fd".</summary>
    OneForRing,

    /// <summary>As many as the memory table has regions.</summary>
    OnePerRegion,

    /// <summary>One, always.</summary>
    One,
}

/// <summary>What one request needs to be looked at at all.</summary>
/// <param name="Phases">When it is allowed.</param>
/// <param name="MinPayloadBytes">Shortest payload.</param>
/// <param name="MaxPayloadBytes">Longest payload.</param>
/// <param name="Fds">How many fds come with it.</param>
/// <param name="Needs">Protocol features without which it must not be sent.</param>
/// <param name="Reply">Whether it has an answer of its own: then the need-reply flag adds nothing.</param>
public readonly record struct RequestRule(
    SessionPhase Phases, uint MinPayloadBytes, uint MaxPayloadBytes, FdRule Fds, ProtocolFeatures Needs, ReplyKind Reply)
{
    public bool AllowsFdCount(int count) => Fds switch
    {
        FdRule.OneForRing => count is 0 or 1,
        FdRule.One => count == 1,
        FdRule.OnePerRegion => count is > 0 and <= VhostUserLimits.MaxMemoryRegions,
        _ => count == 0,
    };
}

/// <summary>
/// The one table of what a frontend may send, and when. Everything starts forbidden: a request is served because it has a row,
/// not because nobody thought of refusing it.
/// </summary>
public static class RequestRules
{
    private const uint HighestNumber = 32;
    private static readonly RequestRule[] Rules = Build();

    /// <summary>The rule of a request; for an unknown number one that allows nothing.</summary>
    public static RequestRule Of(FrontendRequest request) => (uint)request <= HighestNumber ? Rules[(int)request] : default;

    private static RequestRule[] Build()
    {
        RequestRule[] rules = new RequestRule[HighestNumber + 1];
        // Frontends differ in what they send before SET_OWNER: looking at offers and choosing protocol features is harmless there.
        rules[(int)FrontendRequest.GetFeatures] = Empty(SessionPhase.Always, ReplyKind.Value);
        rules[(int)FrontendRequest.GetProtocolFeatures] = Empty(SessionPhase.Always, ReplyKind.Value);
        rules[(int)FrontendRequest.SetProtocolFeatures] = Exactly(8, SessionPhase.Greeting | SessionPhase.Owned);
        rules[(int)FrontendRequest.GetQueueNum] = Empty(SessionPhase.Always, ReplyKind.Value) with { Needs = ProtocolFeatures.MultiQueue };
        rules[(int)FrontendRequest.SetOwner] = Empty(SessionPhase.Greeting, ReplyKind.None);
        // "This is no longer used ... ignore it" (vhost-user, VHOST_USER_RESET_OWNER).
        rules[(int)FrontendRequest.ResetOwner] = Empty(SessionPhase.Always, ReplyKind.None);
        rules[(int)FrontendRequest.SetFeatures] = Exactly(8, SessionPhase.SinceOwner);
        rules[(int)FrontendRequest.SetMemTable] = new RequestRule(
            SessionPhase.SinceOwner, 8 + 32, 8 + (32 * VhostUserLimits.MaxMemoryRegions), FdRule.OnePerRegion, ProtocolFeatures.None, ReplyKind.None);
        rules[(int)FrontendRequest.SetVringNum] = Exactly(RingState.SizeBytes, SessionPhase.SinceOwner);
        rules[(int)FrontendRequest.SetVringBase] = Exactly(RingState.SizeBytes, SessionPhase.SinceOwner);
        rules[(int)FrontendRequest.SetVringAddr] = Exactly(RingAddresses.SizeBytes, SessionPhase.SinceOwner);
        rules[(int)FrontendRequest.SetVringKick] = Exactly(RingEvent.SizeBytes, SessionPhase.Agreed) with { Fds = FdRule.OneForRing };
        rules[(int)FrontendRequest.SetVringCall] = Exactly(RingEvent.SizeBytes, SessionPhase.SinceOwner) with { Fds = FdRule.OneForRing };
        rules[(int)FrontendRequest.SetVringErr] = Exactly(RingEvent.SizeBytes, SessionPhase.SinceOwner) with { Fds = FdRule.OneForRing };
        // QEMU enables a network device's rings when it makes the device, before there is a driver: a ring without a kick does not start by that.
        rules[(int)FrontendRequest.SetVringEnable] = Exactly(RingState.SizeBytes, SessionPhase.SinceOwner);
        rules[(int)FrontendRequest.GetVringBase] = Exactly(RingState.SizeBytes, SessionPhase.SinceOwner) with { Reply = ReplyKind.RingBase };
        rules[(int)FrontendRequest.GetConfig] = Config(ReplyKind.Config);
        rules[(int)FrontendRequest.SetConfig] = Config(ReplyKind.None);
        rules[(int)FrontendRequest.GetInflightFd] = Inflight(FdRule.None, ReplyKind.Inflight);
        rules[(int)FrontendRequest.SetInflightFd] = Inflight(FdRule.One, ReplyKind.None);
        return rules;
    }

    private static RequestRule Empty(SessionPhase phases, ReplyKind reply) => new(phases, 0, 0, FdRule.None, ProtocolFeatures.None, reply);

    private static RequestRule Exactly(uint bytes, SessionPhase phases) => new(phases, bytes, bytes, FdRule.None, ProtocolFeatures.None, ReplyKind.None);

    private static RequestRule Inflight(FdRule fds, ReplyKind reply) => new(
        SessionPhase.SinceOwner, InflightArea.PayloadBytes, InflightArea.PaddedPayloadBytes, fds, ProtocolFeatures.InflightShmFd, reply);

    private static RequestRule Config(ReplyKind reply) => new(
        SessionPhase.Always, ConfigRange.SizeBytes, VhostUserLimits.MaxPayloadBytes, FdRule.None, ProtocolFeatures.Config, reply);
}
