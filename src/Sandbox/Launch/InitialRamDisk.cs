using Sandbox.Initramfs;
using Sandbox.Linux;

namespace Sandbox.Launch;

/// <summary>Makes the guest's initial RAM disk, and words what can go wrong.</summary>
internal static class InitialRamDisk
{
    public static (FdHandle File, long Bytes) Make(string init, string? modulesFolder, IReadOnlySet<string> wanted)
    {
        try
        {
            FdHandle file = InitramfsBuilder.Build(init, modulesFolder, wanted, out long bytes);
            return (MemFd.ReopenReadOnly(file), bytes);
        }
        catch (Exception failure) when (failure is IOException or LinuxException)
        {
            throw new SandboxException(SandboxErrorKind.HostNotReady, $"the initial RAM disk cannot be made: {failure.Message}; build Sandbox and its kernels again with `make`", failure);
        }
    }
}
