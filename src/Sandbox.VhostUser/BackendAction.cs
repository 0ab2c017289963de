namespace Sandbox.VhostUser;

/// <summary>What the device process has to do for one message.</summary>
public enum BackendActionKind
{
    /// <summary>Nothing but the reply, if one is due.</summary>
    None,

    /// <summary>The frontend broke the rules (<see cref="BackendAction.Fault"/>): close every fd of this message and end the session.</summary>
    EndSession,

    /// <summary><see cref="BackendSession.DeviceFeatures"/> holds what the driver accepted. No ring is running.</summary>
    ApplyFeatures,

    /// <summary>Replace guest memory by <see cref="BackendSession.Memory"/>: file i backs region i. Rings that run are stopped before and started on the new memory after.</summary>
    MapMemory,

    /// <summary>The fd is ring <see cref="BackendAction.Queue"/>'s kick from here on; it replaces the one held.</summary>
    SetKick,

    /// <summary>The fd, or none, is the ring's call from here on; it replaces the one held. A running ring goes on.</summary>
    SetCall,

    /// <summary>The fd, or none, is where errors of the ring are signalled; it replaces the one held.</summary>
    SetError,

    /// <summary>Write <see cref="BackendAction.Config"/>'s bytes, which follow the range in the payload. A device without writable configuration answers failure.</summary>
    WriteConfig,

    /// <summary>Clear an area of the file kept for it and answer with <see cref="BackendAction.Inflight"/> and that file's fd; where there is none, with an empty description.</summary>
    GiveInflight,

    /// <summary>The fd holds the records of <see cref="BackendAction.Inflight"/> from here on. No ring is running.</summary>
    MapInflight,
}

/// <summary>What becomes of the fds that came with a message. Whoever received them closes them by this word, so that none can pile up.</summary>
public enum FdDisposition
{
    /// <summary>Close all of them now.</summary>
    Close,

    /// <summary>Needed while the action is carried out (a mapping outlives its fd), then closed.</summary>
    CloseAfterUse,

    /// <summary>The single fd is kept until the action's successor replaces it or the ring stops.</summary>
    Keep,
}

/// <summary>Whether ring <see cref="BackendAction.Queue"/> starts or stops by this message.</summary>
public enum RingChange
{
    None,

    /// <summary>Everything is in place: read it with <see cref="BackendSession.GetRing"/> and process what is already available, kick or not.</summary>
    Start,

    /// <summary>Stop touching the ring. Its fds stay: it can be enabled again.</summary>
    Pause,

    /// <summary>Stop touching the ring, close its kick, call and error fds.</summary>
    Stop,
}

/// <summary>Which reply is due after the action.</summary>
public enum ReplyKind
{
    None,

    /// <summary>Success or failure of the action (REPLY_ACK).</summary>
    Acknowledge,

    /// <summary>The 64-bit <see cref="BackendAction.Value"/>.</summary>
    Value,

    /// <summary>Where the stopped ring stands: its next available index.</summary>
    RingBase,

    /// <summary>Bytes of device configuration.</summary>
    Config,

    /// <summary>Where the records of requests in flight lie, with an fd.</summary>
    Inflight,
}

/// <summary>The answer of <see cref="BackendSession.Accept"/>: a value, so that deciding and doing stay apart.</summary>
public readonly record struct BackendAction(
    BackendActionKind Kind,
    FrontendRequest Request,
    VhostUserFault Fault,
    FdDisposition Fds,
    int Queue,
    RingChange Ring,
    ReplyKind Reply,
    ulong Value,
    ConfigRange Config,
    InflightArea Inflight);
