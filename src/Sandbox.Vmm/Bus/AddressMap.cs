namespace Sandbox.Vmm.Bus;

/// <summary>Which device answers at an address: a sorted table, filled before the first vCPU runs and only read after.</summary>
internal sealed class AddressMap<TDevice>
    where TDevice : class
{
    private readonly List<Entry> _entries = [];

    /// <summary>Gives [start, start + length) to a device. An overlap, an empty range or one that wraps is our own bug.</summary>
    public void Add(ulong start, ulong length, TDevice device)
    {
        ulong last = checked(start + length - 1);
        int index = _entries.FindIndex(entry => entry.Start > start);
        index = index < 0 ? _entries.Count : index;
        bool overlapsPrevious = index > 0 && _entries[index - 1].Last >= start;
        bool overlapsNext = index < _entries.Count && _entries[index].Start <= last;
        if (length == 0 || overlapsPrevious || overlapsNext)
        {
            throw new InvalidOperationException($"device range 0x{start:x}+0x{length:x} is empty or taken");
        }

        _entries.Insert(index, new Entry(start, last, device));
    }

    /// <summary>Finds the device whose range holds all of [address, address + length); null where no device does.</summary>
    public TDevice? Find(ulong address, uint length, out uint offset)
    {
        int low = 0;
        int high = _entries.Count - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            Entry entry = _entries[middle];
            if (address < entry.Start)
            {
                high = middle - 1;
            }
            else if (address > entry.Last)
            {
                low = middle + 1;
            }
            else
            {
                offset = (uint)(address - entry.Start);
                return length != 0 && length - 1 <= entry.Last - address ? entry.Device : null;
            }
        }

        offset = 0;
        return null;
    }

    // No record: the comparison it would get for an unknown type brings the runtime's whole type loader into the exe.
    private readonly struct Entry(ulong start, ulong last, TDevice device)
    {
        public ulong Start { get; } = start;

        public ulong Last { get; } = last;

        public TDevice Device { get; } = device;
    }
}
