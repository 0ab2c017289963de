using Sandbox.Linux;

namespace Sandbox.Memory;

/// <summary>
/// The guest's memory as this process sees it: a few regions, each mapped shared from a file or, where no other process may have it, of this one's own pages. The only way from a
/// guest-physical address to bytes.
/// </summary>
public sealed unsafe partial class GuestMemory : IDisposable
{
    private readonly Region[] _regions;

    private GuestMemory(int capacity) => _regions = new Region[capacity];

    /// <summary>How many regions there are.</summary>
    public int RegionCount { get; private set; }

    /// <summary>Room for up to <paramref name="capacity"/> regions, none of them mapped yet.</summary>
    public static GuestMemory CreateEmpty(int capacity) => new(capacity);

    /// <summary>Maps regions of one file. The fd is borrowed for the call.</summary>
    public static GuestMemory Map(int fd, ReadOnlySpan<GuestMemoryRegion> regions)
    {
        Span<int> fds = stackalloc int[regions.Length];
        fds.Fill(fd);
        return Map(fds, regions);
    }

    /// <summary>Maps regions, each of its own file (borrowed). The caller has checked that they do not overlap, wrap, or reach beyond their files.</summary>
    /// <exception cref="LinuxException">A mapping failed. Those before it stay: who maps memory once ends without it, and has no call to take them back.</exception>
    public static GuestMemory Map(ReadOnlySpan<int> fds, ReadOnlySpan<GuestMemoryRegion> regions)
    {
        GuestMemory memory = new(regions.Length);
        LinuxException.Check(memory.Fill(fds, regions), "mmap guest memory");
        return memory;
    }

    /// <summary>Zeroed pages of this process alone, at a place of the guest's memory. No backend can map them.</summary>
    /// <exception cref="LinuxException">The mapping failed.</exception>
    public static GuestMemory MapOwn(GuestAddress start, ulong lengthBytes)
    {
        GuestMemory memory = new(capacity: 1);
        LinuxException.Check(SharedMapping.MapOwn((nuint)lengthBytes, out nint address), $"mmap {lengthBytes} bytes of own pages for the guest");
        memory._regions[0] = new Region(new GuestMemoryRegion(start, lengthBytes, FileOffset: 0), address);
        memory.RegionCount = 1;
        memory.Mapped();
        return memory;
    }

    /// <summary>
    /// Unmaps what there is, whose slices must all be gone, and maps other regions, as <see cref="Map(ReadOnlySpan{int}, ReadOnlySpan{GuestMemoryRegion})"/> does.
    /// Allocates nothing: a guest can cause it again and again. 0, or the negated error number, with nothing mapped.
    /// </summary>
    public int Replace(ReadOnlySpan<int> fds, ReadOnlySpan<GuestMemoryRegion> regions)
    {
        Unmap();
        int result = Fill(fds, regions);
        if (result < 0)
        {
            Unmap();
        }

        return result;
    }

    private int Fill(ReadOnlySpan<int> fds, ReadOnlySpan<GuestMemoryRegion> regions)
    {
        if (fds.Length != regions.Length || regions.IsEmpty || regions.Length > _regions.Length)
        {
            throw new ArgumentException("one fd a region, at least one region, and no more than there is room for", nameof(regions));
        }

        foreach (ref readonly GuestMemoryRegion region in regions)
        {
            int result = SharedMapping.Map(fds[RegionCount], region.FileOffset, (nuint)region.LengthBytes, out nint address);
            if (result < 0)
            {
                return result;
            }

            _regions[RegionCount++] = new Region(region, address);
        }

        Mapped();
        return 0;
    }

    /// <summary>What region <paramref name="index"/> covers.</summary>
    public GuestMemoryRegion GetRegion(int index) => Regions[index].Covers;

    /// <summary>Where region <paramref name="index"/> is mapped in this process: for KVM_SET_USER_MEMORY_REGION and vhost-user addresses.</summary>
    public ulong GetHostAddress(int index) => (ulong)Regions[index].Address;

    /// <summary>A window on guest memory: false unless the whole range lies in one region.</summary>
    public bool TryGetSlice(GuestAddress start, uint lengthBytes, out GuestSlice slice)
    {
        foreach (ref readonly Region region in Regions)
        {
            // An address below the region's start wraps to a huge offset and fails the next test.
            ulong offset = unchecked(start.Value - region.Covers.Start.Value);
            if (offset < region.Covers.LengthBytes && lengthBytes <= region.Covers.LengthBytes - offset)
            {
                // SAFETY: offset + lengthBytes lies inside the mapping that the region owns.
                slice = new GuestSlice((byte*)region.Address + offset, lengthBytes);
                return true;
            }
        }

        slice = default;
        return false;
    }

    /// <summary>Copies bytes out; false where the range is not in one region.</summary>
    public bool TryRead(GuestAddress start, Span<byte> destination)
    {
        if (!TryGetSlice(start, (uint)destination.Length, out GuestSlice slice))
        {
            return false;
        }

        slice.CopyTo(0, destination);
        return true;
    }

    /// <summary>Copies bytes in; false where the range is not in one region.</summary>
    public bool TryWrite(GuestAddress start, ReadOnlySpan<byte> source)
    {
        if (!TryGetSlice(start, (uint)source.Length, out GuestSlice slice))
        {
            return false;
        }

        slice.CopyFrom(0, source);
        return true;
    }

    /// <summary>Unmaps. Every slice taken from this memory is dead from here on.</summary>
    public void Dispose() => Unmap();

    private ReadOnlySpan<Region> Regions => _regions.AsSpan(0, RegionCount);

    private void Unmap()
    {
        if (RegionCount != 0)
        {
            Unmapping();
        }

        foreach (ref readonly Region region in Regions)
        {
            SharedMapping.Unmap(region.Address, (nuint)region.Covers.LengthBytes);
        }

        RegionCount = 0;
    }

    /// <summary>Told that the regions are there; dropped from what is shipped, as <see cref="GuestSlice"/> says.</summary>
    partial void Mapped();

    /// <summary>Told that the regions go away.</summary>
    partial void Unmapping();

    private readonly record struct Region(GuestMemoryRegion Covers, nint Address);
}
