namespace Sandbox;

/// <summary>
/// What a microVM shall be. Nothing is checked until <see cref="MicroVm.StartAsync"/>, which reports the first member that is out
/// of range with a <see cref="SandboxException"/> of kind <see cref="SandboxErrorKind.InvalidOption"/>.
/// </summary>
public sealed class MicroVmOptions
{
    /// <summary>The least memory a guest can have, in bytes: 64 MiB.</summary>
    public const long MinMemoryBytes = 64L << 20;

    /// <summary>The most memory a guest can have, in bytes: 1 TiB.</summary>
    public const long MaxMemoryBytes = 1L << 40;

    /// <summary>The most virtual processors a guest can have.</summary>
    public const int MaxCpuCount = 64;

    /// <summary>The most entries of <see cref="Disks"/> and <see cref="VhostUserDevices"/> together.</summary>
    public const int MaxDiskCount = 11;

    /// <summary>The most entries of <see cref="VsockPorts"/>.</summary>
    public const int MaxVsockPortCount = 15;

    /// <summary>
    /// The root file system, read by the guest and never written: its changes go to memory and end with it. A directory (an image is made
    /// of it at each start; needs mkfs.erofs of the Debian package erofs-utils), a file or block device with an ext4 or erofs file system, or
    /// null for the busybox root that was built with Sandbox. Default: null.
    /// </summary>
    public string? RootFileSystem { get; init; }

    /// <summary>The guest's kernel: a bzImage or an ELF vmlinux for x86-64. Null for the one that was prepared with Sandbox. Default: null.</summary>
    public string? Kernel { get; init; }

    /// <summary>Arguments added to the kernel's command line, printable ASCII. The whole line may have 2047 bytes. Default: none.</summary>
    public string KernelArguments { get; init; } = "";

    /// <summary>
    /// A folder of kernel modules (.ko, not compressed) that the guest needs to find its devices, with a file "order" that names them in the order of
    /// loading. Null: the folder "modules" beside the kernel if there is one. Default: null.
    /// </summary>
    public string? ModulesDirectory { get; init; }

    /// <summary>Guest memory in bytes, a multiple of 4096 from <see cref="MinMemoryBytes"/> to <see cref="MaxMemoryBytes"/>. Default: 256 MiB.</summary>
    public long MemoryBytes { get; init; } = 256L << 20;

    /// <summary>Virtual processors, 1 to <see cref="MaxCpuCount"/>. Default: 1.</summary>
    public int CpuCount { get; init; } = 1;

    /// <summary>The guest's host name: 1 to 63 letters, digits, '-' and '.'. Default: "sandbox".</summary>
    public string HostName { get; init; } = "sandbox";

    /// <summary>Further disks, at most <see cref="MaxDiskCount"/>. Default: none.</summary>
    public IReadOnlyList<DiskOptions> Disks { get; init; } = [];

    /// <summary>What bounds each disk that has no rate of its own, the root's too. Default: nothing.</summary>
    public DiskRateOptions DiskRate { get; init; } = new();

    /// <summary>The guest's network; null: none at all. Default: null.</summary>
    public NetworkOptions? Network { get; init; }

    /// <summary>
    /// Memory that the guest frees returns to the host (free page reporting of a virtio balloon): a device process more, and for the guest a page
    /// fault where it uses such memory again. What it may use at most is <see cref="MemoryBytes"/> all the same. Default: false.
    /// </summary>
    public bool Balloon { get; init; }

    /// <summary>Whether the processes get SELinux labels of their own. Default: <see cref="SeLinuxMode.Auto"/>.</summary>
    public SeLinuxMode SeLinux { get; init; } = SeLinuxMode.Auto;

    /// <summary>
    /// For an application that deals out pairs of categories itself: the SELinux level of this microVM, "s0:cA,cB" with A below B, which nobody
    /// else on the host may have. Null: a free one is found. Without effect where there are no labels. Default: null.
    /// </summary>
    public string? SeLinuxLevel { get; init; }

    /// <summary>Devices that programs of your own serve; with <see cref="Disks"/> at most <see cref="MaxDiskCount"/>. Default: none.</summary>
    public IReadOnlyList<VhostUserDeviceOptions> VhostUserDevices { get; init; } = [];

    /// <summary>Vsock connections between programs in the guest and programs of yours, at most <see cref="MaxVsockPortCount"/>. Default: none.</summary>
    public IReadOnlyList<VsockPortOptions> VsockPorts { get; init; } = [];

    /// <summary>What the microVM's processes together may use of the host. Default: what a well-behaved one does not reach, where the host can hold it.</summary>
    public HostLimitOptions HostLimits { get; init; } = new();

    /// <summary>How long the guest may take from the call until it can run commands; <see cref="Timeout.InfiniteTimeSpan"/> for ever. Default: 60 seconds.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Receives what the guest writes to its serial console: untrusted bytes. Called on the microVM's own thread; while it blocks, further console
    /// output is dropped. The memory is valid during the call only. Must not throw. Default: none.
    /// </summary>
    public Action<ReadOnlyMemory<byte>>? ConsoleReceived { get; init; }

    /// <summary>
    /// The folder that holds the executables sandbox-jail, sandbox-vmm, sandbox-device and sandbox-init, with the kernels and the built-in root in
    /// ../share beside it. Null: the folder of the running application. Default: null.
    /// </summary>
    public string? ExecutableDirectory { get; init; }
}
