using Sandbox.Memory;

namespace Sandbox.Virtio;

/// <summary>Where a driver put the three parts of a split queue. Unchecked: <see cref="SplitVirtqueue.Configure"/> checks it.</summary>
/// <param name="Size">Entries.</param>
/// <param name="DescriptorTable">16 bytes an entry, aligned to 16.</param>
/// <param name="AvailableRing">6 bytes and 2 an entry, aligned to 2.</param>
/// <param name="UsedRing">6 bytes and 8 an entry, aligned to 4.</param>
public readonly record struct VirtqueueLayout(uint Size, GuestAddress DescriptorTable, GuestAddress AvailableRing, GuestAddress UsedRing)
{
    /// <summary>Checks size, alignment (virtio 1.2 §2.7) and place, and gives the three windows.</summary>
    public VirtqueueFault Resolve(GuestMemory memory, out GuestSlice descriptors, out GuestSlice available, out GuestSlice used)
    {
        ArgumentNullException.ThrowIfNull(memory);
        descriptors = default;
        available = default;
        used = default;
        if (Size == 0 || Size > SplitVirtqueue.MaxSize || (Size & (Size - 1)) != 0)
        {
            return VirtqueueFault.SizeInvalid;
        }

        if ((DescriptorTable.Value & 15) != 0 || (AvailableRing.Value & 1) != 0 || (UsedRing.Value & 3) != 0)
        {
            return VirtqueueFault.RingMisaligned;
        }

        return memory.TryGetSlice(DescriptorTable, Size * Descriptor.SizeBytes, out descriptors)
            && memory.TryGetSlice(AvailableRing, 6 + (2 * Size), out available)
            && memory.TryGetSlice(UsedRing, 6 + (8 * Size), out used)
            ? VirtqueueFault.None
            : VirtqueueFault.RingOutsideMemory;
    }
}
