namespace Sandbox.Virtio;

/// <summary>What a driver did wrong with a queue. The queue stops: nothing in it can be trusted until it is set up again.</summary>
public enum VirtqueueFault
{
    None = 0,

    /// <summary>The size is zero, no power of two, or above <see cref="SplitVirtqueue.MaxSize"/>.</summary>
    SizeInvalid,

    /// <summary>A ring address is not aligned as virtio 1.2 §2.7 demands.</summary>
    RingMisaligned,

    /// <summary>A ring does not lie wholly in one region of guest memory.</summary>
    RingOutsideMemory,

    /// <summary>More entries claimed available than the queue has.</summary>
    AvailableIndexTooFar,

    /// <summary>The available ring names a head that is no descriptor of this queue.</summary>
    HeadOutOfRange,

    /// <summary>The available ring names a head whose chain is still being worked on.</summary>
    HeadInFlight,

    /// <summary>A next field points outside its table.</summary>
    NextOutOfRange,

    /// <summary>A chain longer than its table or than the queue allows: most often a loop.</summary>
    ChainTooLong,

    /// <summary>A chain of more than 2^32 - 1 bytes (§2.7.5).</summary>
    ChainTooManyBytes,

    /// <summary>An indirect descriptor without VIRTIO_F_INDIRECT_DESC.</summary>
    IndirectNotNegotiated,

    /// <summary>An indirect descriptor inside an indirect table, or one with NEXT set (§2.7.5.3.1).</summary>
    IndirectNested,

    /// <summary>An indirect table that is empty, no multiple of 16 bytes, or too long.</summary>
    IndirectLengthInvalid,

    /// <summary>A device-readable buffer behind a device-writable one (§2.7.4.2).</summary>
    ReadableAfterWritable,

    /// <summary>A buffer or indirect table that does not lie in one region of guest memory, or wraps.</summary>
    BufferOutsideMemory,

    /// <summary>The record of chains in flight does not fit the queue: its keeper, or a used index that the driver wrote, is not to be trusted.</summary>
    RecordInvalid,

    /// <summary>A request so malformed that there is no place to answer it: header too short, no status byte.</summary>
    RequestUnanswerable,
}
