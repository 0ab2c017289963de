namespace Sandbox;

/// <summary>An extra disk of a microVM. The guest sees it as /dev/vdb, /dev/vdc and so on, in the order given.</summary>
public sealed class DiskOptions
{
    /// <summary>A regular file or a block device, taken as raw sectors: no image format is ever guessed. Its size must be a positive multiple of 512 bytes.</summary>
    public required string Path { get; init; }

    /// <summary>True: the file is opened for reading only and the guest's writes fail. Default: false.</summary>
    public bool ReadOnly { get; init; }
}
