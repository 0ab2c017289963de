namespace Sandbox.Virtio.Balloon;

/// <summary>VIRTIO_BALLOON_F_* (virtio 1.2 §5.5.3) as masks. Those that this project's device offers.</summary>
public static class BalloonFeatureBits
{
    /// <summary>The guest takes pages back out of the balloon when it runs out of memory.</summary>
    public const ulong DeflateOnOom = 1UL << 2;

    /// <summary>The guest reports free pages; a queue for that is there.</summary>
    public const ulong Reporting = 1UL << 5;
}
