using static Sandbox.Linux.Abi.Constants;
using static Sandbox.Linux.Abi.SystemCalls;
using static Sandbox.Linux.PreRuntime.RawCall;

namespace Sandbox.Linux.PreRuntime;

/// <summary>Mounts before the runtime exists, by the calls that work on fds instead of paths. Every method returns the negated error number when it fails.</summary>
public static unsafe class RawMount
{
    /// <summary>No mount or unmount in this namespace reaches another one, and none from there arrives.</summary>
    public static nint MakeAllPrivate() => Mount("/\0"u8, MS_REC | MS_PRIVATE);

    /// <summary>fsopen(2): a new file system that is not mounted anywhere.</summary>
    public static nint OpenFileSystem(ReadOnlySpan<byte> type)
    {
        if (!IsCString(type))
        {
            return -(nint)Errno.EINVAL;
        }

        // SAFETY: a C string; the kernel only reads it.
        fixed (byte* pointer = type)
        {
            return Call(SYS_fsopen, (nint)pointer, FSOPEN_CLOEXEC);
        }
    }

    /// <summary>fsconfig(2) FSCONFIG_SET_STRING.</summary>
    public static nint Configure(int fileSystem, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (!IsCString(key) || !IsCString(value))
        {
            return -(nint)Errno.EINVAL;
        }

        // SAFETY: two C strings; the kernel only reads them.
        fixed (byte* keyPointer = key)
        {
            fixed (byte* valuePointer = value)
            {
                return Call(SYS_fsconfig, fileSystem, FSCONFIG_SET_STRING, (nint)keyPointer, (nint)valuePointer, 0);
            }
        }
    }

    /// <summary>fsconfig(2) FSCONFIG_CMD_CREATE.</summary>
    public static nint Create(int fileSystem) => Call(SYS_fsconfig, fileSystem, FSCONFIG_CMD_CREATE, 0, 0, 0);

    /// <summary>fsmount(2), read-only, without devices, set-user-id or execution: an fd of the root of a mount that is not attached anywhere.</summary>
    public static nint MountReadOnly(int fileSystem) =>
        Call(SYS_fsmount, fileSystem, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);

    /// <summary>move_mount(2) of an unattached mount onto "/". It hides the old root, which stays this process's root.</summary>
    public static nint AttachOverRoot(int mount)
    {
        // SAFETY: two constant C strings; the kernel only reads them.
        fixed (byte* empty = "\0"u8, root = "/\0"u8)
        {
            return Call(SYS_move_mount, mount, (nint)empty, AT_FDCWD, (nint)root, MOVE_MOUNT_F_EMPTY_PATH);
        }
    }

    public static nint ChangeDirectory(int directory) => Call(SYS_fchdir, directory);

    /// <summary>pivot_root(".", "."): the current directory's mount becomes the root, the old root lies on top of it.</summary>
    public static nint PivotToCurrentDirectory()
    {
        // SAFETY: a constant C string; the kernel only reads it.
        fixed (byte* here = ".\0"u8)
        {
            return Call(SYS_pivot_root, (nint)here, (nint)here);
        }
    }

    /// <summary>umount2(".", MNT_DETACH).</summary>
    public static nint DetachCurrentDirectory()
    {
        // SAFETY: a constant C string; the kernel only reads it.
        fixed (byte* here = ".\0"u8)
        {
            return Call(SYS_umount2, (nint)here, MNT_DETACH);
        }
    }

    public static nint ChangeToRootDirectory()
    {
        // SAFETY: a constant C string; the kernel only reads it.
        fixed (byte* root = "/\0"u8)
        {
            return Call(SYS_chdir, (nint)root);
        }
    }

    private static nint Mount(ReadOnlySpan<byte> target, nint flags)
    {
        // SAFETY: a constant C string; source, type and data are not used for a change of propagation.
        fixed (byte* pointer = target)
        {
            return Call(SYS_mount, 0, (nint)pointer, 0, flags, 0);
        }
    }
}
