using Sandbox.Linux.PreRuntime;
using static Sandbox.Linux.Abi.Constants;
using static Sandbox.Linux.Abi.ProbeCalls;
using static Sandbox.Linux.Abi.ProbeConstants;
using static Sandbox.Linux.Abi.SystemCalls;
using static Sandbox.Linux.PreRuntime.RawCall;

namespace Sandbox.Probe.Acts;

/// <summary>Ways out of the root, and changes of what is mounted.</summary>
internal static class MountActs
{
    internal static nint ChangeRoot() => Call(SYS_chroot, RawScratch.Put("/\0"u8));

    /// <summary>A directory of the outside that somebody forgot to close is a way out of any root.</summary>
    internal static nint EscapeByDirectoryFd() => FdActs.OnEvery(SYS_openat, RawScratch.Put("etc/passwd\0"u8), O_RDONLY);

    internal static nint ChangeToDirectoryFd() => FdActs.OnEvery(SYS_fchdir);

    internal static nint PivotRoot()
    {
        nint here = RawScratch.Put(".\0"u8);
        return Call(SYS_pivot_root, here, here);
    }

    internal static nint Mount() => Call(SYS_mount, RawScratch.Put("none\0"u8), Root(), RawScratch.Put("tmpfs\0"u8), 0, 0);

    internal static nint RemountWritable() => Call(SYS_mount, 0, Root(), 0, MS_REMOUNT | MS_BIND, 0);

    internal static nint Detach() => Call(SYS_umount2, Root(), MNT_DETACH);

    internal static nint NewFileSystem() => Call(SYS_fsopen, RawScratch.Put("tmpfs\0"u8), 0);

    internal static nint CloneTree() => Call(SYS_open_tree, AT_FDCWD, Root(), OPEN_TREE_CLONE);

    /// <summary>struct mount_attr: set, clear, propagation, user namespace.</summary>
    internal static nint ChangeAttributes() => Call(SYS_mount_setattr, AT_FDCWD, Root(), 0, RawScratch.Put64([0, MOUNT_ATTR_NOEXEC, 0, 0]), 4 * sizeof(ulong));

    private static nint Root() => RawScratch.Put("/\0"u8);
}
