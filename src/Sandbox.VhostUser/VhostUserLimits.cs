namespace Sandbox.VhostUser;

/// <summary>Hard maxima: a buffer of these sizes never has to grow, whatever a peer sends.</summary>
public static class VhostUserLimits
{
    /// <summary>Regions, and so fds, of one memory table (vhost-user, "Memory region description").</summary>
    public const int MaxMemoryRegions = 8;

    /// <summary>Bytes of device configuration in one message (VHOST_USER_MAX_CONFIG_SIZE of the protocol's first implementation).</summary>
    public const int MaxConfigBytes = 256;

    /// <summary>Rings of one device: the index in a kick, call or error message has 8 bits.</summary>
    public const int MaxQueues = 256;

    /// <summary>Largest split ring (virtio 1.2, 2.7: "maximum queue size value is 32768").</summary>
    public const int MaxQueueSize = 32768;

    /// <summary>Most bytes of the area that holds the records of requests in flight: 16 queues of 1024 entries need 257 KiB.</summary>
    public const ulong MaxInflightBytes = 64 << 20;

    /// <summary>The longest payload: a configuration message. A full memory table is shorter (8 + 8 * 32 = 264 bytes).</summary>
    public const int MaxPayloadBytes = ConfigRange.SizeBytes + MaxConfigBytes;

    /// <summary>The longest message with its header.</summary>
    public const int MaxMessageBytes = MessageHeader.SizeBytes + MaxPayloadBytes;
}
