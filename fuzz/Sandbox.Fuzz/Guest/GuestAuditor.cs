using Sandbox.Memory;

namespace Sandbox.Fuzz.Guest;

/// <summary>What a device may do with a byte of guest memory.</summary>
[Flags]
internal enum ByteUse : byte
{
    None = 0,
    Read = 1,
    Write = 2,
}

/// <summary>
/// Judges every access to guest memory before it is made: inside a region that is mapped, always; where the driver behaves, only of bytes
/// that it gave, in the direction that it gave them, and each read once between two looks at an available index.
/// </summary>
internal sealed class GuestAuditor : IGuestWatcher
{
    private readonly List<Map> _maps = [];
    private readonly List<ulong> _availableIndexes = [];
    private readonly List<ulong> _wishes = [];
    private readonly List<(ulong Address, Action TakeBack)> _usedIndexes = [];
    private Action? _answered;
    private uint _round = 1;

    /// <summary>The harness itself is at work, as the driver.</summary>
    public bool Muted { get; set; }

    /// <summary>Hold the device to what was granted, and to one fetch.</summary>
    public bool Strict { get; set; }

    /// <summary>Called before each read by the device; may change the bytes.</summary>
    public Action<ulong, uint>? BeforeRead { get; set; }

    /// <summary>Before the access with this number, counted from now, the device's process is killed; 0: it lives.</summary>
    public int KillBefore { get; set; }

    /// <summary>What is mapped now are records of requests in flight: the process's own, which it may read and write as it likes.</summary>
    public bool MapsRecords { get; set; }

    public long Reads { get; private set; }

    public int MapCount => _maps.Count;

    public void Mapped(ulong hostAddress, GuestMemoryRegion region) => _maps.Add(new Map(hostAddress, region, MapsRecords));

    public void Unmapping(ulong hostAddress, GuestMemoryRegion region) => _maps.RemoveAll(map => map.HostAddress == hostAddress);

    /// <summary>A fresh driver: nothing is granted, no queue is known.</summary>
    public void Begin(bool strict)
    {
        Strict = strict;
        Muted = false;
        BeforeRead = null;
        _availableIndexes.Clear();
        _wishes.Clear();
        _usedIndexes.Clear();
        _answered = null;
        KillBefore = 0;
        _round++;
        if (strict)
        {
            foreach (Map map in _maps.Where(static map => !map.HoldsRecords))
            {
                Array.Clear(map.Uses);
            }
        }
    }

    /// <summary>A read of this 16-bit word begins a new look at the rings.</summary>
    public void AddAvailableIndex(ulong guestAddress) => _availableIndexes.Add(guestAddress);

    /// <summary>This 16-bit word says whether the driver wants to be told: it is asked whenever there is something to tell, and nothing is validated by it.</summary>
    public void AddWish(ulong guestAddress) => _wishes.Add(guestAddress);

    /// <summary>A write of this 16-bit word answers requests: before the device's next access the driver has their buffers back.</summary>
    public void AddUsedIndex(ulong guestAddress, Action takeBack) => _usedIndexes.Add((guestAddress, takeBack));

    /// <summary>Another process looks at the rings, which has seen nothing yet.</summary>
    public void BeginRound() => _round++;

    /// <summary>The driver gives bytes to the device, or takes them back.</summary>
    public void Grant(ulong guestAddress, uint lengthBytes, ByteUse use)
    {
        foreach (Map map in _maps)
        {
            ulong offset = unchecked(guestAddress - map.Region.Start.Value);
            if (!map.HoldsRecords && offset < map.Region.LengthBytes)
            {
                map.Uses.AsSpan((int)offset, (int)lengthBytes).Fill(use);
                map.ReadIn.AsSpan((int)offset, (int)lengthBytes).Clear(); // new bytes: not yet read
            }
        }
    }

    public void Touched(ulong hostAddress, ulong lengthBytes, bool writes)
    {
        if (Muted || lengthBytes == 0)
        {
            return;
        }

        if (KillBefore != 0 && --KillBefore == 0)
        {
            throw new ProcessKilledException();
        }

        Action? answered = _answered;
        _answered = null;
        answered?.Invoke();
        foreach (Map map in _maps)
        {
            ulong offset = unchecked(hostAddress - map.HostAddress);
            if (offset < map.Region.LengthBytes)
            {
                if (lengthBytes > map.Region.LengthBytes - offset)
                {
                    throw new FindingException($"guest memory: {Verb(writes)} of {lengthBytes} bytes runs past the end of its region");
                }

                if (!map.HoldsRecords)
                {
                    Judge(map, (int)offset, (int)lengthBytes, writes);
                }

                return;
            }
        }

        throw new FindingException($"guest memory: {Verb(writes)} of {lengthBytes} bytes outside every mapped region");
    }

    private void Judge(Map map, int offset, int length, bool writes)
    {
        ulong guest = map.Region.Start.Value + (ulong)offset;
        if (!writes)
        {
            Reads++;
            BeforeRead?.Invoke(guest, (uint)length);
            if (length == sizeof(ushort) && _availableIndexes.Contains(guest))
            {
                _round++;
                return;
            }
        }

        if (!Strict)
        {
            return;
        }

        if (writes && length == sizeof(ushort))
        {
            foreach ((ulong address, Action takeBack) in _usedIndexes)
            {
                _answered = address == guest ? takeBack : _answered;
            }
        }

        bool isWish = length == sizeof(ushort) && _wishes.Contains(guest);
        ByteUse needed = writes ? ByteUse.Write : ByteUse.Read;
        for (int at = offset; at < offset + length; at++)
        {
            if ((map.Uses[at] & needed) == 0)
            {
                throw new FindingException($"guest memory: {Verb(writes)} of byte 0x{map.Region.Start.Value + (ulong)at:x}, which the driver did not give for that");
            }

            if (!writes)
            {
                if (map.ReadIn[at] == _round && !isWish)
                {
                    throw new FindingException($"double fetch: byte 0x{map.Region.Start.Value + (ulong)at:x} is read twice for one request");
                }

                map.ReadIn[at] = _round;
            }
        }
    }

    private static string Verb(bool writes) => writes ? "write" : "read";

    private sealed class Map(ulong hostAddress, GuestMemoryRegion region, bool holdsRecords)
    {
        public ulong HostAddress { get; } = hostAddress;

        public GuestMemoryRegion Region { get; } = region;

        public bool HoldsRecords { get; } = holdsRecords;

        // Made when a strict guest first asks: most mappings of a back end live for one input.
        public ByteUse[] Uses => field ??= new ByteUse[Region.LengthBytes];

        public uint[] ReadIn => field ??= new uint[Region.LengthBytes];
    }
}
