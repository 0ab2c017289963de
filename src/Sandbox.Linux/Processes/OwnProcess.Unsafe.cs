using System.Runtime.InteropServices;
using System.Text;
using static Sandbox.Linux.Abi.Constants;
using static Sandbox.Linux.Abi.Glibc;
using static Sandbox.Linux.Abi.SystemCalls;
using static Tmds.Linux.LibC;

namespace Sandbox.Linux;

/// <summary>What a process does to itself as its first act.</summary>
public static unsafe class OwnProcess
{
    /// <summary>
    /// No other process of the same user may trace it, read its memory or have a core file of it: the exec has made that possible
    /// again (PR_SET_DUMPABLE, prctl(2)). Out of a jail, it also ends with the launcher (PR_SET_PDEATHSIG) as it was told before the
    /// exec: one that changes the SELinux label forgets that. And a name for ps(1): a process executed by fd would show a number.
    /// </summary>
    /// <param name="name">At most 15 ASCII characters.</param>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public static void Begin(string name)
    {
        Prctl(PR_SET_DUMPABLE, 0, "prctl PR_SET_DUMPABLE");
        if (SystemCall(SYS_getppid, 0, 0, 0, 0, 0, 0) == 0) // the parent is outside our PID namespace: the launcher, behind the jail
        {
            Prctl(PR_SET_PDEATHSIG, Abi.Constants.SIGKILL, "prctl PR_SET_PDEATHSIG");
        }

        // SAFETY: a NUL-terminated pinned name; the kernel reads at most 16 bytes of it.
        fixed (byte* pointer = Encoding.ASCII.GetBytes(name + '\0'))
        {
            Prctl(PR_SET_NAME, (nint)pointer, "prctl PR_SET_NAME");
        }

        ShareOneHeap();
    }

    /// <summary>
    /// exit_group(2), at once: the runtime's orderly end would take locks, wake its threads and free memory, with calls that a filter
    /// would have to grant. Nothing is flushed and nothing is finalized; the kernel closes what is open.
    /// </summary>
    public static void End(int exitCode) => SystemCall(SYS_exit_group, exitCode, 0, 0, 0, 0, 0);

    // One heap of the C library for all threads: nobody uses it while serving, and one for each would reserve 64 MiB and dirty pages. What threads
    // take of it when they start, a KiB each, is there from now on and stays: no filter grants brk(2).
    private static void ShareOneHeap()
    {
        const int ReserveBytes = 512 * 1024;
        const nuint BlockBytes = 120 * 1024; // below what malloc(3) maps apart; two are more than it begins with
        _ = mallopt(M_ARENA_MAX, 1);
        _ = mallopt(M_TRIM_THRESHOLD, int.MaxValue);
        _ = mallopt(M_TOP_PAD, ReserveBytes);
        // SAFETY: two blocks that are freed at once; nothing is written to them.
        void* first = NativeMemory.Alloc(BlockBytes);
        void* second = NativeMemory.Alloc(BlockBytes);
        NativeMemory.Free(second);
        NativeMemory.Free(first);
    }

    private static void Prctl(int option, nint argument, string operation)
    {
        if (SystemCall(SYS_prctl, option, argument, 0, 0, 0, 0) != 0)
        {
            throw new LinuxException(operation, (Errno)errno);
        }
    }
}
