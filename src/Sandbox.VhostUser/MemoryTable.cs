using System.Runtime.CompilerServices;

namespace Sandbox.VhostUser;

/// <summary>One region of guest memory as a frontend describes it (vhost-user, "Memory region description").</summary>
/// <param name="GuestStart">First guest-physical address. This room knows no guest memory: the caller wraps it into its own address type.</param>
/// <param name="LengthBytes">Length in bytes.</param>
/// <param name="UserStart">The same place in the frontend's address space.</param>
/// <param name="FileOffset">Where the region begins in the file that came with it, in bytes. Whether the file is long enough only the receiver can ask (fstat).</param>
public readonly record struct MemoryTableRegion(ulong GuestStart, ulong LengthBytes, UserAddress UserStart, ulong FileOffset);

/// <summary>At most eight regions, none overlapping another: a value that costs no allocation.</summary>
public struct MemoryTable
{
    private Regions _regions;

    /// <summary>How many regions there are.</summary>
    public int Count { get; private set; }

    public readonly MemoryTableRegion this[int index] =>
        (uint)index < (uint)Count ? _regions[index] : throw new ArgumentOutOfRangeException(nameof(index));

    /// <summary>Adds a region: false when it is empty, not on page borders, wraps, overlaps, or is one too many.</summary>
    public bool TryAdd(in MemoryTableRegion region)
    {
        const ulong PageMask = 4095;
        ulong last = region.LengthBytes - (region.LengthBytes == 0 ? 0UL : 1UL);
        if (Count == VhostUserLimits.MaxMemoryRegions
            || region.LengthBytes == 0
            || ((region.GuestStart | region.LengthBytes | region.UserStart.Value | region.FileOffset) & PageMask) != 0
            || last > ulong.MaxValue - region.GuestStart
            || last > ulong.MaxValue - region.UserStart.Value
            || last > long.MaxValue - Math.Min(region.FileOffset, long.MaxValue))
        {
            return false;
        }

        for (int index = 0; index < Count; index++)
        {
            MemoryTableRegion other = _regions[index];
            if (Overlap(region.GuestStart, region.LengthBytes, other.GuestStart, other.LengthBytes)
                || Overlap(region.UserStart.Value, region.LengthBytes, other.UserStart.Value, other.LengthBytes))
            {
                return false;
            }
        }

        _regions[Count++] = region;
        return true;
    }

    /// <summary>The guest-physical address of a range that lies wholly inside one region.</summary>
    public readonly bool TryTranslate(UserAddress start, uint lengthBytes, out ulong guestStart)
    {
        for (int index = 0; index < Count; index++)
        {
            MemoryTableRegion region = _regions[index];
            // An address below the region wraps to a huge offset and fails the next test.
            ulong offset = unchecked(start.Value - region.UserStart.Value);
            if (offset < region.LengthBytes && lengthBytes <= region.LengthBytes - offset)
            {
                guestStart = region.GuestStart + offset;
                return true;
            }
        }

        guestStart = 0;
        return false;
    }

    // Neither range wraps (checked before), so "start of one is inside the other" is the whole test.
    private static bool Overlap(ulong firstStart, ulong firstLength, ulong secondStart, ulong secondLength) =>
        unchecked(firstStart - secondStart) < secondLength || unchecked(secondStart - firstStart) < firstLength;

    [InlineArray(VhostUserLimits.MaxMemoryRegions)]
    private struct Regions
    {
        private MemoryTableRegion _first;
    }
}
