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

/// <summary>"Virtio device config space": the three words before the bytes.</summary>
public readonly record struct ConfigRange(uint OffsetBytes, uint LengthBytes, uint Flags)
{
    public const int SizeBytes = 12;
}
