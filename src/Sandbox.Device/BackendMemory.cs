using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.VhostUser;

namespace Sandbox.Device;

/// <summary>The guest's memory as the frontend last described it.</summary>
internal sealed class BackendMemory
{
    private readonly GuestMemory _memory = GuestMemory.CreateEmpty(VhostUserLimits.MaxMemoryRegions);

    public GuestMemory? Current => _memory.RegionCount == 0 ? null : _memory;

    /// <summary>Unmaps the old table, whose slices must all be gone, and maps the new one. False, with no memory at all, when a file is shorter than its region or cannot be mapped: the old table is void for the frontend. Allocates nothing: a guest causes it with every reset of its device.</summary>
    public bool TryReplace(in MemoryTable table, ReadOnlySpan<int> fds)
    {
        Release();
        Span<GuestMemoryRegion> regions = stackalloc GuestMemoryRegion[VhostUserLimits.MaxMemoryRegions];
        regions = regions[..table.Count];
        for (int index = 0; index < regions.Length; index++)
        {
            MemoryTableRegion region = table[index];
            long fileBytes = FileRange.Length(fds[index]);
            // Beyond the end of a file a mapping has no pages: an access would kill this process. The session has checked that the sum fits.
            if (fileBytes < 0 || region.FileOffset + region.LengthBytes > (ulong)fileBytes)
            {
                return false;
            }

            regions[index] = new GuestMemoryRegion(new GuestAddress(region.GuestStart), region.LengthBytes, region.FileOffset);
        }

        int result = _memory.Replace(fds, regions);
        if (result < 0 && DeviceLog.HasRoom)
        {
            DeviceLog.Line($"guest memory refused: {(Errno)(-result)}");
        }

        return result == 0;
    }

    /// <summary>Unmaps the table, whose slices must all be gone.</summary>
    public void Release() => _memory.Dispose();
}
