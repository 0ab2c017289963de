namespace Sandbox.Virtio;

/// <summary>Feature bits that concern every device (virtio 1.2 §6) as masks of the 64-bit feature word.</summary>
public static class VirtioFeatureBits
{
    /// <summary>VIRTIO_F_INDIRECT_DESC: a descriptor may refer to a table of descriptors.</summary>
    public const ulong RingIndirectDescriptors = 1UL << 28;

    /// <summary>VIRTIO_F_EVENT_IDX: each side says from which index on it wants to be told.</summary>
    public const ulong RingEventIndex = 1UL << 29;

    /// <summary>VIRTIO_F_VERSION_1: little-endian, this specification. A driver without it is refused.</summary>
    public const ulong Version1 = 1UL << 32;
}
