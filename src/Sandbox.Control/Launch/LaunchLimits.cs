namespace Sandbox.Control.Launch;

/// <summary>Hard maxima of the launch messages: a decoder allocates no more than these allow, whatever the sender says.</summary>
public static class LaunchLimits
{
    /// <summary>The whole frame, header included.</summary>
    public const int MaxFrameBytes = 64 * 1024;

    /// <summary>Linux boot protocol: cmdline_size of every x86 kernel since 2.6.22 is 2047 without the final zero.</summary>
    public const int MaxCommandLineBytes = 2047;

    /// <summary>The I/O APIC has 24 pins; devices use 5 to 21.</summary>
    public const int MaxDevices = 17;

    public const int MaxQueues = 16;

    /// <summary>Pairs of queues of a network device: with the control queue they are <see cref="MaxQueues"/> at most.</summary>
    public const int MaxNetworkPairs = (MaxQueues - 1) / 2;

    /// <summary>xAPIC ids are 8 bits wide and 255 is the broadcast; 64 is what this version supports.</summary>
    public const int MaxCpus = 64;

    /// <summary>1 TiB.</summary>
    public const long MaxMemoryBytes = 1L << 40;

    /// <summary>1 GiB for the kernel file and for the initial RAM disk each.</summary>
    public const long MaxBootFileBytes = 1L << 30;

    /// <summary>virtio 1.2, 5.2.6.1: VIRTIO_BLK_T_GET_ID returns 20 bytes.</summary>
    public const int MaxSerialIdBytes = 20;

    public const int MaxVsockPorts = 16;

    /// <summary>virtio 1.2, 5.11.4: a file system's name is a field of 36 bytes.</summary>
    public const int MaxTagBytes = 36;

    /// <summary>virtio 1.2, 5.1.4.1: the least MTU a device may tell of.</summary>
    public const int MinMtu = 68;

    /// <summary>The same: the largest.</summary>
    public const int MaxMtu = 65535;

    /// <summary>1 TiB in a second bounds nothing.</summary>
    public const long MaxBytesPerSecond = 1L << 40;

    /// <summary>Nor do a thousand million requests.</summary>
    public const long MaxOperationsPerSecond = 1_000_000_000;

    /// <summary>Length of the text of an <see cref="Ended"/>.</summary>
    public const int MaxEndTextBytes = 512;

    /// <summary>Size of a device's file for its record of requests in flight: <see cref="MaxQueues"/> rings of 1024 entries at 16 bytes, and their headers.</summary>
    public const int InflightBytes = MaxQueues * 17 * 1024;

    internal const int PageBytes = 4096;
}
