namespace Sandbox.Memory;

/// <summary>Looks on at guest memory in the fuzzer's build of this room. It may throw to stop an access before it is made.</summary>
public interface IGuestWatcher
{
    /// <summary>A region is mapped at a host address.</summary>
    void Mapped(ulong hostAddress, GuestMemoryRegion region);

    /// <summary>A region goes away: an access to it from here on would be to memory that is somebody else's.</summary>
    void Unmapping(ulong hostAddress, GuestMemoryRegion region);

    /// <summary>Bytes are about to be read or written, by this process or by the kernel for it.</summary>
    void Touched(ulong hostAddress, ulong lengthBytes, bool writes);
}
