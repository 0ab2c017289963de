using System.Text;
using static Sandbox.Linux.Abi.Glibc;
using static Sandbox.Linux.Abi.SystemCalls;
using static Tmds.Linux.LibC;

namespace Sandbox.Linux;

/// <summary>Makes, renames and removes names: what System.IO would do with far more code. Launcher side only.</summary>
public static unsafe class FolderEntry
{
    private const uint OwnerOnlyFile = 0x180; // 0600
    private const int OwnerOnlyFolder = 0x1C0; // 0700

    /// <summary>A new file with this content, on the disk when it returns; what had the name loses it, and a link is never followed (O_EXCL).</summary>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        _ = TryRemove(path);
        using FdHandle file = FileOpen.Open(path, O_WRONLY | O_CREAT | O_EXCL, OwnerOnlyFile);
        LinuxException.Check(FdIo.WriteAll(file.Number, content), $"write {path}");
        // SAFETY: numbers only.
        if (SystemCall(SYS_fsync, file.Number, 0, 0, 0, 0, 0) != 0)
        {
            throw new LinuxException($"fsync {path}", (Errno)errno);
        }
    }

    /// <summary>The folder with all above it that are missing, for their owner only.</summary>
    public static void MakeFolders(string path)
    {
        for (int end = path.IndexOf('/', 1); ; end = path.IndexOf('/', end + 1))
        {
            string folder = end < 0 ? path : path[..end];
            Errno error = Call(SYS_mkdir, folder, OwnerOnlyFolder);
            if (error is not Errno.None and not Errno.EEXIST)
            {
                throw new LinuxException($"mkdir {folder}", error);
            }

            if (end < 0)
            {
                return;
            }
        }
    }

    /// <summary>The new name is the old one's file from one moment to the next.</summary>
    public static void Rename(string path, string newPath)
    {
        // SAFETY: two NUL-terminated pinned paths; the kernel only reads them.
        fixed (byte* from = Encoding.UTF8.GetBytes(path + '\0'), to = Encoding.UTF8.GetBytes(newPath + '\0'))
        {
            if (SystemCall(SYS_rename, (nint)from, (nint)to, 0, 0, 0, 0) != 0)
            {
                throw new LinuxException($"rename {path}", (Errno)errno);
            }
        }
    }

    /// <summary>False when it is not there, or cannot be removed.</summary>
    public static bool TryRemove(string file) => Call(SYS_unlink, file, 0) == Errno.None;

    /// <summary>False when it is not there, or not empty.</summary>
    public static bool TryRemoveFolder(string folder) => Call(SYS_rmdir, folder, 0) == Errno.None;

    private static Errno Call(int number, string path, int argument)
    {
        // SAFETY: a NUL-terminated pinned path; the kernel only reads it.
        fixed (byte* pointer = Encoding.UTF8.GetBytes(path + '\0'))
        {
            return SystemCall(number, (nint)pointer, argument, 0, 0, 0, 0) == 0 ? Errno.None : (Errno)errno;
        }
    }
}
