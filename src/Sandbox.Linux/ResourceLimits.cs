namespace Sandbox.Linux;

/// <summary>RLIMIT_* of setrlimit(2) (asm-generic/resource.h).</summary>
public static class ResourceLimits
{
    public const int FileSize = 1;
    public const int Core = 4;
    public const int Processes = 6;
    public const int OpenFiles = 7;
    public const int LockedMemory = 8;
    public const int AddressSpace = 9;

    /// <summary>RLIM_INFINITY.</summary>
    public const ulong Unlimited = ulong.MaxValue;
}
