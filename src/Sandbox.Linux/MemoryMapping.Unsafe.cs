using Microsoft.Win32.SafeHandles;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Sandbox.Linux;

/// <summary>A shared mapping of an fd, unmapped when disposed. Only Sandbox.Memory and Sandbox.Kvm turn its address into a pointer.</summary>
public sealed unsafe class MemoryMapping : SafeHandleMinusOneIsInvalid
{
    private MemoryMapping(nint address, nuint lengthBytes)
        : base(ownsHandle: true)
    {
        SetHandle(address);
        LengthBytes = lengthBytes;
    }

    /// <summary>First byte; valid until disposed.</summary>
    public nint Address => handle;

    public nuint LengthBytes { get; }

    /// <summary>mmap(2) MAP_SHARED, readable and writable, never executable. Pages are not reserved (a guest's memory is filled as it is touched).</summary>
    /// <exception cref="LinuxException">mmap failed.</exception>
    public static MemoryMapping MapShared(int fd, ulong offset, nuint lengthBytes)
    {
        const int MapNoReserve = 0x4000;
        // SAFETY: a fresh mapping at an address the kernel chooses; nothing else is touched.
        void* address = mmap(null, (size_t)lengthBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MapNoReserve, fd, (long)offset);
        return (nint)address != -1
            ? new MemoryMapping((nint)address, lengthBytes)
            : throw new LinuxException("mmap", (Errno)errno);
    }

    protected override bool ReleaseHandle() => munmap((void*)handle, (size_t)LengthBytes) == 0; // SAFETY: the exact range that mmap returned.
}
