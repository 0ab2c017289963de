namespace Sandbox.Virtio.Block;

/// <summary>VIRTIO_BLK_F_* (virtio 1.2 §5.2.3) as masks. Those that this project's device offers.</summary>
public static class BlockFeatureBits
{
    /// <summary>seg_max holds the most buffers of one request.</summary>
    public const ulong SegmentMax = 1UL << 2;

    /// <summary>Writes are refused.</summary>
    public const ulong ReadOnly = 1UL << 5;

    /// <summary>blk_size holds the logical block size.</summary>
    public const ulong BlockSize = 1UL << 6;

    /// <summary>FLUSH is understood, and written data is volatile until it.</summary>
    public const ulong Flush = 1UL << 9;

    /// <summary>topology holds preferred sizes.</summary>
    public const ulong Topology = 1UL << 10;

    /// <summary>The driver may switch between write-back and write-through (the field "writeback").</summary>
    public const ulong ConfigWriteback = 1UL << 11;

    /// <summary>num_queues holds how many queues there are.</summary>
    public const ulong MultiQueue = 1UL << 12;

    public const ulong Discard = 1UL << 13;

    public const ulong WriteZeroes = 1UL << 14;
}
