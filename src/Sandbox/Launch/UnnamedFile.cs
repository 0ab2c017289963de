using Sandbox.Linux;

namespace Sandbox.Launch;

/// <summary>A file on disk that never has a name (open(2), O_TMPFILE): no end of this process leaves it behind.</summary>
internal static class UnnamedFile
{
    private const int O_RDWR = 2;
    private const int O_TMPFILE = 0x410000; // __O_TMPFILE | O_DIRECTORY (asm-generic/fcntl.h)
    private const uint OwnerReadWrite = 0x180; // 0600

    /// <summary>In TMPDIR, else /var/tmp, which is for large files, else /tmp; where no file system has O_TMPFILE, in memory.</summary>
    public static FdHandle Create()
    {
        foreach (string? folder in (string?[])[Environment.GetEnvironmentVariable("TMPDIR"), "/var/tmp", "/tmp"])
        {
            if (string.IsNullOrEmpty(folder))
            {
                continue;
            }

            try
            {
                return FileOpen.Open(folder, O_TMPFILE | O_RDWR, OwnerReadWrite);
            }
            catch (LinuxException)
            {
                // Not there, not ours to write, or a file system without O_TMPFILE: the next.
            }
        }

        return MemFd.Create("sandbox-image");
    }
}
