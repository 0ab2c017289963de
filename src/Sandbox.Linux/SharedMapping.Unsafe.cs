using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Sandbox.Linux;

/// <summary>Mappings as bare addresses, those of an fd shared, for whoever keeps many and may not allocate; see <see cref="MemoryMapping"/> for one that is owned.</summary>
public static unsafe class SharedMapping
{
    private const int NoReserve = 0x4000; // MAP_NORESERVE

    /// <summary>mmap(2) MAP_SHARED, readable and writable, never executable. Pages are not reserved (a guest's memory is filled as it is touched). 0, or the negated error number.</summary>
    public static int Map(int fd, ulong offset, nuint lengthBytes, out nint address)
    {
        // SAFETY: a fresh mapping at an address the kernel chooses; nothing else is touched.
        address = (nint)mmap(null, (size_t)lengthBytes, PROT_READ | PROT_WRITE, MAP_SHARED | NoReserve, fd, (long)offset);
        return address != -1 ? 0 : -errno;
    }

    /// <summary>mmap(2) of zeroed pages that no other process can have, readable and writable, never executable. 0, or the negated error number.</summary>
    public static int MapOwn(nuint lengthBytes, out nint address)
    {
        // SAFETY: as in Map.
        address = (nint)mmap(null, (size_t)lengthBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return address != -1 ? 0 : -errno;
    }

    /// <summary>munmap(2) of exactly a range that <see cref="Map"/> or <see cref="MapOwn"/> returned: nothing may use it any more.</summary>
    public static void Unmap(nint address, nuint lengthBytes) => _ = munmap((void*)address, (size_t)lengthBytes); // SAFETY: the exact range that mmap returned.
}
