using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.VhostUser;
using Sandbox.Virtio;

namespace Sandbox.Device;

/// <summary>
/// The records of requests in flight. The launcher gives each device process the same file, so that this process need not make one: it clears
/// and lends it when the frontend asks, and maps what the frontend hands back, which after a restart is what the predecessor left.
/// </summary>
/// <param name="file">The launcher's file, inherited; nothing there means that this process keeps no records.</param>
internal sealed class BackendInflight(int file)
{
    // Made once: a guest brings about new records with every reset of its device, and serving allocates nothing.
    private readonly GuestMemory _memory = GuestMemory.CreateEmpty(1);
    private readonly GuestMemory _cleared = GuestMemory.CreateEmpty(1);
    private InflightArea _area;

    /// <summary>There is a file to keep records in.</summary>
    public bool IsKept { get; } = FileRange.Length(file) > 0;

    /// <summary>The fd to lend, borrowed.</summary>
    public int File => file;

    /// <summary>Clears the file's beginning for a frontend that starts anew. False when it is too small.</summary>
    public bool TryClear(in InflightArea area)
    {
        if (!TryMap(_cleared, file, area))
        {
            return false;
        }

        Region(_cleared, 0, area.SizeBytes).Clear();
        _cleared.Dispose();
        return true;
    }

    /// <summary>Maps the frontend's records in the place of those held. The fd is borrowed.</summary>
    public bool TryReplace(int fd, in InflightArea area)
    {
        Release();
        if (!TryMap(_memory, fd, area))
        {
            return false;
        }

        _area = area;
        return true;
    }

    /// <summary>Unmaps the records, of which no ring may hold one any more.</summary>
    public void Release()
    {
        _memory.Dispose();
        _area = default;
    }

    /// <summary>A process has used the records that are mapped.</summary>
    public bool HoldsRecords
    {
        get
        {
            for (int queue = 0; queue < _area.QueueCount; queue++)
            {
                if (InFlightRecord.IsBegun(RecordOf(queue)))
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>A queue's record; empty where there is none.</summary>
    public GuestSlice RecordOf(int queue)
    {
        if (_memory.RegionCount == 0 || queue >= _area.QueueCount)
        {
            return default;
        }

        uint bytes = InflightArea.RecordBytes(_area.QueueSize);
        return Region(_memory, (ulong)queue * bytes, bytes);
    }

    // The session has bounded size and offset. Beyond the end of a file a mapping has no pages: an access would kill this process.
    private static bool TryMap(GuestMemory memory, int fd, in InflightArea area)
    {
        long fileBytes = FileRange.Length(fd);
        if (fileBytes < 0 || area.OffsetBytes + area.SizeBytes > (ulong)fileBytes)
        {
            return false;
        }

        int result = memory.Replace([fd], [new GuestMemoryRegion(new GuestAddress(0), area.SizeBytes, area.OffsetBytes)]);
        if (result < 0 && DeviceLog.HasRoom)
        {
            DeviceLog.Line($"records of requests in flight refused: {(Errno)(-result)}");
        }

        return result == 0;
    }

    private static GuestSlice Region(GuestMemory memory, ulong offset, ulong bytes) =>
        memory.TryGetSlice(new GuestAddress(offset), (uint)bytes, out GuestSlice slice)
            ? slice
            : throw new InvalidOperationException("the area was measured before it was mapped");
}
