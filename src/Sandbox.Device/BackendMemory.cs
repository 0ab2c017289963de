using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.VhostUser;

namespace Sandbox.Device;

/// <summary>The guest's memory as the frontend last described it.</summary>
internal sealed class BackendMemory
{
    public GuestMemory? Current { get; private set; }

    /// <summary>Maps a new table and unmaps the old one: every slice of the old one must be gone. False, with nothing changed, when a file is shorter than its region or cannot be mapped.</summary>
    public bool TryReplace(in MemoryTable table, ReadOnlySpan<int> fds)
    {
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

        GuestMemory mapped;
        try
        {
            mapped = GuestMemory.Map(fds, regions);
        }
        catch (LinuxException failure)
        {
            DeviceLog.Line($"guest memory refused: {failure.Message}");
            return false;
        }

        Current?.Dispose();
        Current = mapped;
        return true;
    }
}
