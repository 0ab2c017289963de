using Sandbox.Linux;
using Sandbox.Memory;

namespace Sandbox.Device.Net;

/// <summary>
/// How many pairs the driver chose, in the file that the launcher keeps for a successor: the driver says it once, and a process that takes
/// this one's place is not told again. Without a file nothing is kept.
/// </summary>
internal sealed class KeptPairs
{
    private const uint PlaceBytes = sizeof(ushort);

    // Never let go of: the mapping lives as long as the process.
    private readonly GuestMemory? _memory;
    private readonly GuestSlice _place;

    /// <param name="file">Borrowed; nothing there means that nothing is kept. A device that keeps this keeps no records of requests in it.</param>
    /// <exception cref="LinuxException">The file cannot be mapped.</exception>
    public KeptPairs(int file)
    {
        if (FileRange.Length(file) < PlaceBytes)
        {
            return;
        }

        _memory = GuestMemory.Map(file, [new GuestMemoryRegion(new GuestAddress(0), PlaceBytes, 0)]);
        _ = _memory.TryGetSlice(new GuestAddress(0), PlaceBytes, out _place); // exactly the region
    }

    /// <summary>What was kept last, by whatever process: unchecked. 0 where nothing is.</summary>
    public int Value
    {
        get => _memory is null ? 0 : _place.ReadUInt16Acquire(0);
        set
        {
            if (_memory is not null)
            {
                _place.WriteUInt16Release(0, (ushort)value);
            }
        }
    }
}
