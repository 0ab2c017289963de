using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Sandbox.Linux;

/// <summary>What an open file is (inode(7)), as far as this project tells apart.</summary>
public enum FileKind
{
    Other,
    Regular,
    Directory,
    BlockDevice,
}

/// <summary>Questions about an open file. The fd is borrowed.</summary>
public static unsafe class FileStatus
{
    /// <summary>What sort of file it is (fstat(2)).</summary>
    public static FileKind KindOf(FdHandle file)
    {
        stat status = default;
        // SAFETY: the kernel fills the local.
        if (fstat(file.Number, &status) != 0)
        {
            throw new LinuxException("fstat", (Errno)errno);
        }

        uint type = (uint)status.st_mode & S_IFMT_Bits;
        return type switch
        {
            0x8000 => FileKind.Regular,
            0x4000 => FileKind.Directory,
            0x6000 => FileKind.BlockDevice,
            _ => FileKind.Other,
        };
    }

    /// <summary>Bytes of a regular file or block device (lseek(2) to the end: stat says 0 for a device). Moves the file offset.</summary>
    public static long LengthOf(FdHandle file)
    {
        long end = lseek(file.Number, 0, SEEK_END);
        if (end < 0)
        {
            throw new LinuxException("lseek", (Errno)errno);
        }

        _ = lseek(file.Number, 0, SEEK_SET);
        return end;
    }

    private const uint S_IFMT_Bits = 0xF000;
}
