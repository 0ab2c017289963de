using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.VhostUser;

namespace Sandbox.Device;

/// <summary>The guest's memory as the frontend last described it.</summary>
internal sealed class BackendMemory
{
    public GuestMemory? Current { get; private set; }

    /// <summary>Unmaps the old table, whose slices must all be gone, and maps the new one. False, with no memory at all, when a file is shorter than its region or cannot be mapped: the old table is void for the frontend.</summary>
    public bool TryReplace(in MemoryTable table, ReadOnlySpan<int> fds)
    {
        Release();
        GuestMemoryRegion[] regions = new GuestMemoryRegion[table.Count];
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

        try
        {
            Current = GuestMemory.Map(fds, regions);
            return true;
        }
        catch (LinuxException failure)
        {
            DeviceLog.Line($"guest memory refused: {failure.Message}");
            return false;
        }
    }

    /// <summary>Unmaps the table, whose slices must all be gone.</summary>
    public void Release()
    {
        Current?.Dispose();
        Current = null;
    }
}
