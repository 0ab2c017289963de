namespace Sandbox;

/// <summary>
/// What all processes of a microVM together may use of the host, held by control groups (version 2, or 1 where that is all there is). A limit
/// that is not given has a default that a well-behaved microVM does not reach; it is dropped where the host has no control group to give, and
/// <see cref="MicroVm.UnenforcedLimits"/> says so. A limit that is given is held, or the microVM does not start.
/// </summary>
public sealed class HostLimitOptions
{
    /// <summary>
    /// Memory in bytes, guest memory and the host's tables for it included; never swapped. At least <see cref="MicroVmOptions.MemoryBytes"/>. Default: null,
    /// guest memory and an overhead of 96 MiB and a sixteenth of it.
    /// </summary>
    public long? MemoryBytes { get; init; }

    /// <summary>Processes and threads, at least 16 for each process of the microVM. Default: null, what they need.</summary>
    public int? Threads { get; init; }

    /// <summary>Processor time in percent of one host processor: 250 is two and a half. Default: null, 100 for each virtual processor and for each device process.</summary>
    public int? CpuPercent { get; init; }

    /// <summary>Bytes per second read from, and as many written to, each block device that holds a disk of the guest. Default: null, no limit.</summary>
    public long? DiskBytesPerSecond { get; init; }

    /// <summary>
    /// The control group below which that of the microVM is made, as /proc/self/cgroup names it ("/machine.slice"). Default: null, that of this process, or the one
    /// above it where that has no room for both processes and groups.
    /// </summary>
    public string? ControlGroup { get; init; }
}
