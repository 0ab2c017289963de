using System.Text;

namespace Sandbox.Linux.Guest;

/// <summary>Mount flags of mount(2) (linux/mount.h).</summary>
[Flags]
public enum MountFlags : ulong
{
    None = 0,
    ReadOnly = 0x1,
    NoSetUid = 0x2,
    NoDevices = 0x4,
    NoExecute = 0x8,
    Move = 0x2000,
}

/// <summary>Paths and mounts of the guest's PID 1. Every method returns 0 or the negated error number.</summary>
public static unsafe class GuestFiles
{
    private const int DetachUnmount = 2; // MNT_DETACH

    /// <summary>mount(2); <paramref name="data"/> are the file system's own options.</summary>
    public static int Mount(string source, string target, string type, MountFlags flags, string data)
    {
        // SAFETY: NUL-terminated pinned strings; the kernel only reads them.
        fixed (byte* sourcePath = Terminated(source), targetPath = Terminated(target), typeName = Terminated(type), options = Terminated(data))
        {
            return GuestLibc.Result(GuestLibc.mount(sourcePath, targetPath, typeName, (ulong)flags, options));
        }
    }

    /// <summary>umount2(2), at once; with <paramref name="detach"/> as soon as nobody uses it.</summary>
    public static int Unmount(string target, bool detach)
    {
        fixed (byte* path = Terminated(target)) // SAFETY: as in Mount.
        {
            return GuestLibc.Result(GuestLibc.umount2(path, detach ? DetachUnmount : 0));
        }
    }

    /// <summary>mkdir(2).</summary>
    public static int MakeDirectory(string path, uint mode)
    {
        fixed (byte* bytes = Terminated(path)) // SAFETY: as in Mount.
        {
            return GuestLibc.Result(GuestLibc.mkdir(bytes, mode));
        }
    }

    /// <summary>unlink(2).</summary>
    public static int Unlink(string path)
    {
        fixed (byte* bytes = Terminated(path)) // SAFETY: as in Mount.
        {
            return GuestLibc.Result(GuestLibc.unlink(bytes));
        }
    }

    /// <summary>symlink(2).</summary>
    public static int MakeLink(string target, string path)
    {
        fixed (byte* targetBytes = Terminated(target), bytes = Terminated(path)) // SAFETY: as in Mount.
        {
            return GuestLibc.Result(GuestLibc.symlink(targetBytes, bytes));
        }
    }

    /// <summary>Whether a file is there and may be executed (access(2), X_OK).</summary>
    public static int CanExecute(string path)
    {
        const int ExecuteOk = 1;
        fixed (byte* bytes = Terminated(path)) // SAFETY: as in Mount.
        {
            return GuestLibc.Result(GuestLibc.access(bytes, ExecuteOk));
        }
    }

    /// <summary>chdir(2).</summary>
    public static int ChangeDirectory(string path)
    {
        fixed (byte* bytes = Terminated(path)) // SAFETY: as in Mount.
        {
            return GuestLibc.Result(GuestLibc.chdir(bytes));
        }
    }

    /// <summary>chroot(2).</summary>
    public static int ChangeRoot(string path)
    {
        fixed (byte* bytes = Terminated(path)) // SAFETY: as in Mount.
        {
            return GuestLibc.Result(GuestLibc.chroot(bytes));
        }
    }

    internal static byte[] Terminated(string text) => Encoding.UTF8.GetBytes(text + '\0');
}
