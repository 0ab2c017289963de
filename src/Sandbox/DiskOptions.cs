namespace Sandbox;

/// <summary>An extra disk of a microVM. The guest sees it as /dev/vdb, /dev/vdc and so on, in the order given.</summary>
public sealed class DiskOptions
{
    /// <summary>A regular file or a block device, taken as raw sectors: no image format is ever guessed. Its size must be a positive multiple of 512 bytes.</summary>
    public required string Path { get; init; }

    /// <summary>True: the file is opened for reading only and the guest's writes fail. Default: false.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>
    /// True: past the host's page cache (O_DIRECT), so that the guest's memory is the only cache. The guest then sees the blocks that the medium
    /// demands, often 4096 bytes. Default: false.
    /// </summary>
    public bool Direct { get; init; }

    /// <summary>What bounds this disk. Null: <see cref="MicroVmOptions.DiskRate"/>. Default: null.</summary>
    public DiskRateOptions? Rate { get; init; }
}
