namespace Sandbox.VhostUser;

/// <summary>A ring that can be started: every address is guest-physical, aligned and inside one region of the memory table.</summary>
/// <param name="Size">Number of descriptors, a power of two.</param>
/// <param name="DescriptorTable">Guest-physical address of 16 * Size bytes, 16-byte aligned.</param>
/// <param name="AvailableRing">Guest-physical address of 6 + 2 * Size bytes, 2-byte aligned.</param>
/// <param name="UsedRing">Guest-physical address of 6 + 8 * Size bytes, 4-byte aligned.</param>
/// <param name="NextAvailableIndex">The index to go on from.</param>
public readonly record struct RingLayout(ushort Size, ulong DescriptorTable, ulong AvailableRing, ulong UsedRing, ushort NextAvailableIndex);
