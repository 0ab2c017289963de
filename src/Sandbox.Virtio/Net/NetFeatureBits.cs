namespace Sandbox.Virtio.Net;

/// <summary>VIRTIO_NET_F_* (virtio 1.2 §5.1.3) as masks. Those that this project's device offers, and those that a VMM must know.</summary>
public static class NetFeatureBits
{
    /// <summary>The driver may leave a checksum to the device.</summary>
    public const ulong Checksum = 1UL << 0;

    /// <summary>The device may leave a checksum to the driver, and may say that one is right.</summary>
    public const ulong GuestChecksum = 1UL << 1;

    /// <summary>mtu holds the largest packet.</summary>
    public const ulong Mtu = 1UL << 3;

    /// <summary>mac holds the address.</summary>
    public const ulong Mac = 1UL << 5;

    /// <summary>The driver takes TCP segments over IPv4 that are larger than the MTU.</summary>
    public const ulong GuestTso4 = 1UL << 7;

    /// <summary>The same over IPv6.</summary>
    public const ulong GuestTso6 = 1UL << 8;

    /// <summary>Such segments may carry ECN.</summary>
    public const ulong GuestEcn = 1UL << 9;

    /// <summary>The device takes TCP segments over IPv4 that are larger than the MTU.</summary>
    public const ulong HostTso4 = 1UL << 11;

    /// <summary>The same over IPv6.</summary>
    public const ulong HostTso6 = 1UL << 12;

    /// <summary>Such segments may carry ECN.</summary>
    public const ulong HostEcn = 1UL << 13;

    /// <summary>A received packet may be spread over several buffers.</summary>
    public const ulong MergeableBuffers = 1UL << 15;

    /// <summary>status holds the state of the link.</summary>
    public const ulong Status = 1UL << 16;

    /// <summary>There is a control queue.</summary>
    public const ulong ControlQueue = 1UL << 17;

    /// <summary>max_virtqueue_pairs holds how many pairs of queues there are.</summary>
    public const ulong MultiQueue = 1UL << 22;

    /// <summary>What offloads of received packets need (§5.1.3.1): a driver that breaks the rule gets none of them.</summary>
    public static bool AllowsGuestTso(ulong features, bool overIPv6) =>
        (features & GuestChecksum) != 0 && (features & (overIPv6 ? GuestTso6 : GuestTso4)) != 0;

    /// <summary>What offloads of sent packets need (§5.1.3.1).</summary>
    public static bool AllowsHostTso(ulong features, bool overIPv6) =>
        (features & Checksum) != 0 && (features & (overIPv6 ? HostTso6 : HostTso4)) != 0;
}
