using System.Runtime.InteropServices;

namespace Sandbox.Linux;

/// <summary>Puts a compiled filter over every thread of this process (seccomp(2)). Filters stack: the strictest answer wins, and none can be taken off.</summary>
public static unsafe class SeccompFilter
{
    private const int InstructionBytes = 8; // struct sock_filter
    private const long SysSeccomp = 317;
    private const long SetModeFilter = 1;   // SECCOMP_SET_MODE_FILTER
    private const long AllThreads = 1;      // SECCOMP_FILTER_FLAG_TSYNC
    private const int SetNoNewPrivileges = 38; // PR_SET_NO_NEW_PRIVS

    /// <summary>
    /// Installs the filter on all threads at once, and no_new_privs before it, which the kernel asks for. 0, or the negated
    /// error number; -EINVAL also where the program's length is no multiple of an instruction. A thread that could not follow
    /// makes the whole call fail: it is reported as -ESRCH.
    /// </summary>
    public static int Install(ReadOnlySpan<byte> program)
    {
        if (program.IsEmpty || program.Length % InstructionBytes != 0)
        {
            return -(int)Errno.EINVAL;
        }

        // SAFETY: the program is pinned for the call and the kernel copies it; SockFprog has the layout of struct sock_fprog.
        fixed (byte* instructions = program)
        {
            // The jail has promised it already; a device process that serves another front end, without a jail, promises it here.
            if (prctl(SetNoNewPrivileges, 1, 0, 0, 0) != 0)
            {
                return -Marshal.GetLastSystemError();
            }

            SockFprog description = new() { Length = (ushort)(program.Length / InstructionBytes), Filter = instructions };
            long result = syscall(SysSeccomp, SetModeFilter, AllThreads, &description);
            return result switch
            {
                0 => 0,
                > 0 => -(int)Errno.ESRCH,
                _ => -Marshal.GetLastSystemError(),
            };
        }
    }

    [DllImport("libc")]
    private static extern long syscall(long number, long operation, long flags, SockFprog* program);

    [DllImport("libc")]
    private static extern int prctl(int option, long argument2, long argument3, long argument4, long argument5);

    /// <summary>struct sock_fprog (linux/filter.h).</summary>
    private struct SockFprog
    {
        public ushort Length;
        public byte* Filter;
    }
}
