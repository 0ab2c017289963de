using Microsoft.Win32.SafeHandles;

namespace Sandbox.Linux;

/// <summary>A shared mapping of an fd, unmapped when disposed. Only Sandbox.Memory and Sandbox.Kvm turn its address into a pointer.</summary>
public sealed class MemoryMapping : SafeHandleMinusOneIsInvalid
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

    /// <inheritdoc cref="SharedMapping.Map"/>
    /// <exception cref="LinuxException">mmap failed.</exception>
    public static MemoryMapping MapShared(int fd, ulong offset, nuint lengthBytes)
    {
        LinuxException.Check(SharedMapping.Map(fd, offset, lengthBytes, out nint address), "mmap");
        return new MemoryMapping(address, lengthBytes);
    }

    protected override bool ReleaseHandle()
    {
        SharedMapping.Unmap(handle, LengthBytes);
        return true;
    }
}
