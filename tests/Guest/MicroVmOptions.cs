namespace Sandbox.Guest.Tests;

/// <summary>A machine to start.</summary>
internal sealed class MicroVmOptions
{
    /// <summary>Path of a kernel; by default the micro guest of <see cref="Guest"/>.</summary>
    public string? Kernel { get; init; }

    /// <summary>Name of a micro guest.</summary>
    public string Guest { get; init; } = "";

    /// <summary>Path of the VMM; by default the published one.</summary>
    public string? Executable { get; init; }

    public string CommandLine { get; init; } = "";

    public byte[] Initrd { get; init; } = [];

    public long MemoryBytes { get; init; } = 8 << 20;

    public int CpuCount { get; init; } = 1;

    /// <summary>What the VMM gets as /dev/kvm.</summary>
    public string KvmDevice { get; init; } = "/dev/kvm";

    /// <summary>What the VMM is sent in the place of a launch spec.</summary>
    public byte[]? SpecFrame { get; init; }

    /// <summary>A virtio-blk device with this image, served by sandbox-device.</summary>
    public string? DiskImage { get; init; }

    /// <summary>The VMM is told that a disk whose process dies is replaced (<see cref="MicroVm.ReplaceDisk"/>).</summary>
    public bool Replaceable { get; init; }
}
