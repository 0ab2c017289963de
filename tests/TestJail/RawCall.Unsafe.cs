using System.Runtime;
using System.Runtime.CompilerServices;
using Sandbox.Proof;
using static Sandbox.Linux.Abi.Constants;
using static Sandbox.Linux.Abi.SystemCalls;
using static Sandbox.Linux.Abi.YoungConstants;

namespace Sandbox.Linux.PreRuntime;

/// <summary>
/// In the place of the product's RawCall: makes every call but those that raise a wall which is to stay down. Those are answered
/// as if they had been made. The mount namespace is never left out: what a probe without walls mounts must not stay on this machine.
/// </summary>
internal static unsafe class RawCall
{
    /// <summary>The walls that shall stand, four bytes; beside the numbers of JailFds.</summary>
    private const int WallsFd = 249;
    private const int DuplicateClosedAtExec = 1030; // F_DUPFD_CLOEXEC
    private const int SYS_fcntl = 72;

    private static bool _known;
    private static int _walls;

    internal static nint Call(nint number, nint argument0 = 0, nint argument1 = 0, nint argument2 = 0, nint argument3 = 0, nint argument4 = 0, nint argument5 = 0)
    {
        if (!_known)
        {
            int walls;
            // SAFETY: four bytes of a local.
            _ = syscall(SYS_pread64, WallsFd, (nint)(&walls), sizeof(int), 0, 0, 0);
            _walls = walls;
            _known = true;
        }

        if (number == SYS_unshare)
        {
            argument0 &= ~(nint)LeftOutNamespaces();
        }
        else if (LeftOut(number, argument0, argument1, argument2))
        {
            return 0;
        }
        else if (number == SYS_landlock_create_ruleset && !Stands(ConfinementWall.Landlock))
        {
            return -(nint)Errno.EOPNOTSUPP;
        }
        else if (MakesFdOfLeftOut(number))
        {
            // Something that can be closed.
            return syscall(SYS_fcntl, 2, DuplicateClosedAtExec, 0, 0, 0, 0);
        }

        nint result = syscall(number, argument0, argument1, argument2, argument3, argument4, argument5);
        // SAFETY: the address of this thread's errno, which the C library made before it called main.
        return result == -1 ? -*__errno_location() : result;
    }

    internal static bool IsCString(ReadOnlySpan<byte> text) => !text.IsEmpty && text[^1] == 0;

    private static bool Stands(ConfinementWall wall) => (_walls & (int)wall) != 0;

    private static int LeftOutNamespaces() =>
        (Stands(ConfinementWall.PidNamespace) ? 0 : Namespaces.Pid) | (Stands(ConfinementWall.NetworkNamespace) ? 0 : Namespaces.Network) | (Stands(ConfinementWall.IpcNamespace) ? 0 : Namespaces.Ipc);

    private static bool LeftOut(nint number, nint argument0, nint argument1, nint argument2) => number switch
    {
        SYS_fsconfig or SYS_move_mount or SYS_fchdir or SYS_pivot_root or SYS_umount2 or SYS_chdir => !Stands(ConfinementWall.EmptyRoot),
        // Only the last: an identity of its own needs two of them raised first, to come to the namespaces.
        SYS_capset => !Stands(ConfinementWall.Capabilities) && IsEmptySet(argument1),
        SYS_prlimit64 => !Stands(ConfinementWall.Limits),
        // All but the jail's own, which close at the exec.
        SYS_close => !Stands(ConfinementWall.ClosedFds),
        SYS_close_range => !Stands(ConfinementWall.ClosedFds) && argument2 == 0,
        SYS_prctl => argument0 switch
        {
            PR_CAPBSET_DROP or PR_CAP_AMBIENT or PR_SET_SECUREBITS => !Stands(ConfinementWall.Capabilities),
            PR_SET_MDWE => !Stands(ConfinementWall.NoNewCode),
            _ => false,
        },
        _ => false,
    };

    // SAFETY: the caller's struct __user_cap_data_struct, which begins with the effective set.
    private static bool IsEmptySet(nint data) => *(uint*)data == 0;

    private static bool MakesFdOfLeftOut(nint number) => number switch
    {
        SYS_fsopen or SYS_fsmount => !Stands(ConfinementWall.EmptyRoot),
        _ => false,
    };

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("syscall")]
    private static extern nint syscall(nint number, nint argument0, nint argument1, nint argument2, nint argument3, nint argument4, nint argument5);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("__errno_location")]
    private static extern int* __errno_location();
}
