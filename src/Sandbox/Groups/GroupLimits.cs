using System.Globalization;
using System.Runtime.CompilerServices;

namespace Sandbox.Groups;

/// <summary>The limits of one microVM as numbers.</summary>
/// <param name="memoryBytes">Of all processes together.</param>
/// <param name="threads">Of all processes together.</param>
/// <param name="cpuPercent">Of one host processor's time.</param>
/// <param name="diskBytesPerSecond">For each device below; null for no limit.</param>
/// <param name="devices">"MAJOR:MINOR" of the whole block devices that hold the guest's disks.</param>
internal sealed class GroupLimits(long memoryBytes, long threads, int cpuPercent, long? diskBytesPerSecond, IReadOnlyList<string> devices)
{
    /// <summary>The kernel's usual period, 100 ms: short enough that a guest is not felt to stop.</summary>
    private const int PeriodMicroseconds = 100_000;

    /// <summary>
    /// Runtime and code of the processes, virtqueues and buffers (measured: 2 to 3 MiB for each process), KVM's own structures for each virtual
    /// processor, and page cache of the disks, which the kernel gives back under pressure.
    /// </summary>
    private const long FixedOverheadBytes = 96L << 20;

    /// <summary>
    /// Tables: each process that maps guest memory has 8 bytes of page table for 4096, KVM as many and a reverse map: 1/512 each. With the monitor, KVM's
    /// two and the most device processes there can be that is less than 1/16.
    /// </summary>
    private const int TableShare = 16;

    /// <summary>passt's tables of flows and what it has read and not yet passed on.</summary>
    private const long PasstBytes = 64L << 20;

    public long MemoryBytes => memoryBytes;

    public long Threads => threads;

    public int CpuPercent => cpuPercent;

    public long? DiskBytesPerSecond => diskBytesPerSecond;

    public IReadOnlyList<string> Devices => devices;

    /// <param name="options">The operator's.</param>
    /// <param name="threads">What the processes need.</param>
    /// <param name="deviceProcesses">How many there are.</param>
    /// <param name="devices">As <see cref="Devices"/>.</param>
    public static GroupLimits For(MicroVmOptions options, long threads, int deviceProcesses, IReadOnlyList<string> devices) => new(
        options.HostLimits.MemoryBytes ?? checked(options.MemoryBytes + (options.MemoryBytes / TableShare) + FixedOverheadBytes + (options.Network is { Kind: NetworkKind.User } ? PasstBytes : 0)),
        options.HostLimits.Threads ?? threads,
        options.HostLimits.CpuPercent ?? 100 * (options.CpuCount + deviceProcesses),
        options.HostLimits.DiskBytesPerSecond,
        devices);

    /// <summary>Files and lines for version 2 (Documentation/admin-guide/cgroup-v2.rst).</summary>
    public List<GroupSetting> ForVersion2()
    {
        List<GroupSetting> settings = [];
        Add(settings, GroupController.Memory, "memory.max", Text(MemoryBytes));
        // Guest memory on a swap device would outlive the microVM.
        Add(settings, GroupController.Memory, "memory.swap.max", "0", mayLack: true);
        // One process of a microVM without another is of no use: out of memory, they end together.
        Add(settings, GroupController.Memory, "memory.oom.group", "1", mayLack: true);
        Add(settings, GroupController.Threads, "pids.max", Text(Threads));
        Add(settings, GroupController.Processors, "cpu.max", Text(Quota) + " " + Text(PeriodMicroseconds));
        if (DiskBytesPerSecond is long rate)
        {
            string bytes = Text(rate);
            foreach (string device in Devices)
            {
                Add(settings, GroupController.Disks, "io.max", device + " rbps=" + bytes + " wbps=" + bytes);
            }
        }

        return settings;
    }

    /// <summary>Files and lines for version 1 (Documentation/admin-guide/cgroup-v1).</summary>
    public List<GroupSetting> ForVersion1()
    {
        List<GroupSetting> settings = [];
        Add(settings, GroupController.Memory, "memory.limit_in_bytes", Text(MemoryBytes));
        // Memory and swap together: the same, so no swap beyond the limit.
        Add(settings, GroupController.Memory, "memory.memsw.limit_in_bytes", Text(MemoryBytes), mayLack: true);
        Add(settings, GroupController.Memory, "memory.swappiness", "0", mayLack: true);
        Add(settings, GroupController.Threads, "pids.max", Text(Threads));
        Add(settings, GroupController.Processors, "cpu.cfs_period_us", Text(PeriodMicroseconds));
        Add(settings, GroupController.Processors, "cpu.cfs_quota_us", Text(Quota));
        if (DiskBytesPerSecond is long rate)
        {
            foreach (string device in Devices)
            {
                Add(settings, GroupController.Disks, "blkio.throttle.read_bps_device", device + " " + Text(rate));
                Add(settings, GroupController.Disks, "blkio.throttle.write_bps_device", device + " " + Text(rate));
            }
        }

        return settings;
    }

    /// <summary>Whether the operator asked for it: then it is held or nothing starts.</summary>
    public static bool IsAskedFor(GroupController controller, HostLimitOptions options) =>
        controller == GroupController.Memory ? options.MemoryBytes is not null
        : controller == GroupController.Threads ? options.Threads is not null
        : controller == GroupController.Processors ? options.CpuPercent is not null
        : options.DiskBytesPerSecond is not null;

    // Not inlined eleven times: the launcher is to stay small.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Add(List<GroupSetting> settings, GroupController controller, string file, string value, bool mayLack = false) =>
        settings.Add(new GroupSetting(controller, file, value, mayLack));

    private long Quota => (long)cpuPercent * PeriodMicroseconds / 100;

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
