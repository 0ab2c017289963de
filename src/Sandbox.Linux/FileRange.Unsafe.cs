using System.Runtime.InteropServices;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Sandbox.Linux;

/// <summary>What a disk does with a file besides reading and writing. 0 or a count, or the negated error number; nothing throws.</summary>
public static unsafe class FileRange
{
    private const int KeepSize = 0x01; // FALLOC_FL_KEEP_SIZE
    private const int PunchHole = 0x02; // FALLOC_FL_PUNCH_HOLE
    private const int ZeroRange = 0x10; // FALLOC_FL_ZERO_RANGE

    /// <summary>fdatasync(2): what was written, and what is needed to find it again, is on the medium.</summary>
    public static int Sync(int fd) => FDataSync(fd) == 0 ? 0 : -Marshal.GetLastPInvokeError();

    /// <summary>Gives a range back to the file system; it reads as zero after. The size of the file stays.</summary>
    public static int Discard(int fd, ulong offset, ulong lengthBytes) => Allocate(fd, PunchHole | KeepSize, offset, lengthBytes);

    /// <summary>Makes a range read as zero while keeping it allocated. The size of the file stays.</summary>
    public static int Zero(int fd, ulong offset, ulong lengthBytes)
    {
        int result = Allocate(fd, ZeroRange | KeepSize, offset, lengthBytes);
        if (result != -(int)Errno.EOPNOTSUPP)
        {
            return result;
        }

        // A file system that cannot do it at once (tmpfs) can in two steps: given back, and taken anew.
        result = Discard(fd, offset, lengthBytes);
        return result == 0 ? Allocate(fd, KeepSize, offset, lengthBytes) : result;
    }

    /// <summary>fstat(2): the size of a regular file in bytes.</summary>
    public static long Length(int fd)
    {
        stat status;
        // SAFETY: the kernel fills the local.
        return fstat(fd, &status) == 0 ? status.st_size : -errno;
    }

    private static int Allocate(int fd, int mode, ulong offset, ulong lengthBytes)
    {
        if (lengthBytes == 0)
        {
            return 0; // fallocate calls an empty range invalid
        }

        return FAllocate(fd, mode, (long)offset, (long)lengthBytes) == 0 ? 0 : -Marshal.GetLastPInvokeError();
    }

    [DllImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static extern int FDataSync(int fd);

    [DllImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    private static extern int FAllocate(int fd, int mode, long offset, long lengthBytes);
}
