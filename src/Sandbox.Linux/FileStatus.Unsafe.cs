using System.Text;
using Sandbox.Linux.Abi;
using Tmds.Linux;
using static Sandbox.Linux.Abi.Glibc;
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
        stat status = StatusOf(file);

        uint type = (uint)status.st_mode & S_IFMT_Bits;
        return type switch
        {
            0x8000 => FileKind.Regular,
            0x4000 => FileKind.Directory,
            0x6000 => FileKind.BlockDevice,
            _ => FileKind.Other,
        };
    }

    /// <summary>The same for two fds when they are of one file: device and inode number (fstat(2)), each without its highest bit.</summary>
    public static (long Device, long Inode) IdentityOf(FdHandle file)
    {
        stat status = StatusOf(file);
        return (unchecked((long)(ulong)status.st_dev) & long.MaxValue, unchecked((long)(ulong)status.st_ino) & long.MaxValue);
    }

    /// <summary>The path by which the file was opened, with all links followed, as the kernel still knows it (readlink(2) of /proc/self/fd).</summary>
    public static string PathOf(FdHandle file)
    {
        const int MaxPathBytes = 4096; // PATH_MAX
        byte* buffer = stackalloc byte[MaxPathBytes];
        // SAFETY: a pinned C string, and a buffer whose true size the kernel is told.
        fixed (byte* link = Encoding.ASCII.GetBytes($"/proc/self/fd/{file.Number}\0"))
        {
            nint count = Abi.Glibc.SystemCall(Abi.SystemCalls.SYS_readlink, (nint)link, (nint)buffer, MaxPathBytes, 0, 0, 0);
            return count >= 0 ? Encoding.UTF8.GetString(buffer, (int)count) : throw new LinuxException("readlink /proc/self/fd", (Errno)errno);
        }
    }

    /// <summary>Whether any folder names it: a memfd and a file made with O_TMPFILE have no link.</summary>
    public static bool HasName(FdHandle file) => (ulong)StatusOf(file).st_nlink > 0;

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

    /// <summary>The block device itself, or the one that holds the file; major 0 when the file system is on none.</summary>
    public static (uint Major, uint Minor) DeviceOf(FdHandle file)
    {
        stat status = StatusOf(file);

        // The kernel's 64-bit dev_t of user space (makedev(3)): minor 0-7, major 8-19, minor 20-31, major 32-43.
        ulong device = (ulong)(((uint)status.st_mode & S_IFMT_Bits) == 0x6000 ? status.st_rdev : status.st_dev);
        return ((uint)(((device >> 8) & 0xFFF) | ((device >> 32) & 0xFFFF_F000)), (uint)((device & 0xFF) | ((device >> 12) & 0xFFFF_FF00)));
    }

    /// <summary>Whether the file is this process's user's and its mode lets that user write it: then no capability is needed for it.</summary>
    public static bool IsWritableAsItsOwner(FdHandle file)
    {
        stat status = StatusOf(file);
        return (uint)status.st_uid == (uint)geteuid() && ((uint)status.st_mode & 0x80) != 0;
    }

    /// <summary>f_type of the file system that holds an open file (fstatfs(2)).</summary>
    public static long FileSystemTypeOf(FdHandle file)
    {
        long* buffer = stackalloc long[StatFsBytes / sizeof(long)];
        // SAFETY: struct statfs is 120 bytes on x86-64 and begins with f_type.
        return SystemCall(SystemCalls.SYS_fstatfs, file.Number, (nint)buffer, 0, 0, 0, 0) == 0 ? buffer[0] : throw new LinuxException("fstatfs", (Errno)errno);
    }

    /// <summary>Whether to read or write it may take a wait for a medium: a block device, or a regular file that does not lie in memory (tmpfs, ramfs).</summary>
    public static bool IsOnMedium(FdHandle file) => KindOf(file) switch
    {
        FileKind.BlockDevice => true, // its own file system is one of device files, whatever is behind it
        FileKind.Regular => FileSystemTypeOf(file) is not (SwappedMemory or FixedMemory),
        _ => false,
    };

    private static stat StatusOf(FdHandle file)
    {
        stat status = default;
        // SAFETY: the kernel fills the local.
        return fstat(file.Number, &status) == 0 ? status : throw new LinuxException("fstat", (Errno)errno);
    }

    private const int StatFsBytes = 120;

    private const long SwappedMemory = 0x0102_1994; // TMPFS_MAGIC
    private const long FixedMemory = 0x8584_58F6; // RAMFS_MAGIC

    private const uint S_IFMT_Bits = 0xF000;
}
