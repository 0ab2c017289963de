namespace Sandbox.VhostUser;

/// <summary>VHOST_USER_PROTOCOL_F_*: optional parts of the protocol. Only those that both sides of this project can speak have a name.</summary>
[Flags]
public enum ProtocolFeatures : ulong
{
    None = 0,

    /// <summary>Several queues: GET_QUEUE_NUM.</summary>
    MultiQueue = 1UL << 0,

    /// <summary>A request that has no answer of its own is acknowledged when its header asks for it.</summary>
    ReplyAck = 1UL << 3,

    /// <summary>GET_CONFIG and SET_CONFIG.</summary>
    Config = 1UL << 9,

    /// <summary>GET_INFLIGHT_FD and SET_INFLIGHT_FD: a shared record of requests in flight, so that a new backend can go on. Offered by devices that can do a request again.</summary>
    InflightShmFd = 1UL << 12,

    /// <summary>What every backend of this project offers.</summary>
    Spoken = MultiQueue | ReplyAck | Config,

    /// <summary>What this project's frontend asks for.</summary>
    Wanted = Spoken | InflightShmFd,
}

/// <summary>Bits of the device feature word that the transport itself cares about.</summary>
public static class TransportFeatures
{
    /// <summary>VHOST_USER_F_PROTOCOL_FEATURES: not a virtio feature, it never reaches the guest.</summary>
    public const ulong ProtocolFeatures = 1UL << 30;

    /// <summary>VIRTIO_F_VERSION_1 (virtio 1.2, 6).</summary>
    public const ulong Version1 = 1UL << 32;
}
