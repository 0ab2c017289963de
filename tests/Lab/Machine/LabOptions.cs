namespace Sandbox.Lab.Machine;

/// <summary>What the lab host looks like.</summary>
public sealed record LabOptions
{
    /// <summary>Processors. KVM in the lab host refuses guests with more.</summary>
    public int Processors { get; init; } = 2;

    /// <summary>Memory in MiB; taken from the build machine only where touched.</summary>
    public int MemoryMegabytes { get; init; } = 4096;

    /// <summary>More words for the kernel command line of the lab host.</summary>
    public string KernelWords { get; init; } = "";

    /// <summary>More arguments for the emulator: a device that another process serves.</summary>
    public IReadOnlyList<string> EmulatorArguments { get; init; } = [];

    /// <summary>An ext4 image that is the root instead of the build machine's files; what is written to it is thrown away. Null: those files.</summary>
    public string? RootImage { get; init; }

    /// <summary>How long a boot may take before it is tried anew: emulation sometimes wedges early.</summary>
    public TimeSpan BootLimit { get; init; } = TimeSpan.FromSeconds(40);

    /// <summary>Folder with <c>vmlinux</c> and <c>initramfs.cpio</c>, made by <c>tests/Lab/host/build.sh</c>.</summary>
    public required string ImageDirectory { get; init; }

    /// <summary>The exe <c>lab</c>, at a path that the lab host sees too.</summary>
    public required string AgentPath { get; init; }

    /// <summary>The script that becomes the emulator.</summary>
    public required string EmulatorScript { get; init; }

    /// <summary>The script that serves the build machine's files read-only.</summary>
    public required string ShareScript { get; init; }

    /// <summary>The files as <c>make lab</c> lays them out in a clone.</summary>
    public static LabOptions ForRepository(string root) => new()
    {
        ImageDirectory = Path.Combine(root, "artifacts/lab/image"),
        AgentPath = Path.Combine(root, "artifacts/lab/lab"),
        EmulatorScript = Path.Combine(root, "tests/Lab/host/qemu.sh"),
        ShareScript = Path.Combine(root, "tests/Lab/host/share.sh"),
    };
}
