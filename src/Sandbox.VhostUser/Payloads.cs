namespace Sandbox.VhostUser;

/// <summary>"A vring state description": the size, base or enable state of one ring.</summary>
public readonly record struct RingState(uint Index, uint Value)
{
    public const int SizeBytes = 8;
}

/// <summary>"A vring address description".</summary>
public readonly record struct RingAddresses(uint Index, uint Flags, UserAddress Descriptors, UserAddress Used, UserAddress Available)
{
    public const int SizeBytes = 40;
}

/// <summary>The payload of SET_VRING_KICK, _CALL and _ERR: a ring index, and whether an fd comes with it.</summary>
public readonly record struct RingEvent(int Index, bool HasFd)
{
    public const int SizeBytes = 8;

    /// <summary>Bit 8: no fd, "poll instead".</summary>
    internal const ulong NoFd = 0x100;
}

/// <summary>"Inflight description": where in a shared file the queues' records of requests in flight lie.</summary>
/// <param name="SizeBytes">Of the whole area.</param>
/// <param name="OffsetBytes">Where it begins in the file.</param>
/// <param name="QueueCount">Queues that have a record.</param>
/// <param name="QueueSize">Entries of each record.</param>
public readonly record struct InflightArea(ulong SizeBytes, ulong OffsetBytes, ushort QueueCount, ushort QueueSize)
{
    /// <summary>The four fields.</summary>
    public const int PayloadBytes = 20;

    /// <summary>The same as the C compilers of most implementations lay it out: both are taken, and answered alike.</summary>
    public const int PaddedPayloadBytes = 24;

    private const uint Alignment = 64;

    /// <summary>Bytes of one queue's record: a header and an entry for each descriptor, 16 bytes each, on a cache line's border.</summary>
    public static uint RecordBytes(ushort queueSize) => (16 + (16u * queueSize) + Alignment - 1) & ~(Alignment - 1);

    /// <summary>Bytes that the queues' records need.</summary>
    public ulong NeededBytes => (ulong)QueueCount * RecordBytes(QueueSize);
}

/// <summary>"Virtio device config space": the three words before the bytes.</summary>
public readonly record struct ConfigRange(uint OffsetBytes, uint LengthBytes, uint Flags)
{
    public const int SizeBytes = 12;
}
