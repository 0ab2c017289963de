using System.Runtime.InteropServices;

namespace Sandbox.Linux;

/// <summary>Puts compiled filters over the threads of this process (seccomp(2)). Filters stack: the strictest answer wins, and none can be taken off.</summary>
public static unsafe class SeccompFilter
{
    private const int InstructionBytes = 8; // struct sock_filter
    private const long SysSeccomp = 317;
    private const long SetModeFilter = 1;   // SECCOMP_SET_MODE_FILTER
    private const long AllThreads = 1;      // SECCOMP_FILTER_FLAG_TSYNC
    private const int SetNoNewPrivileges = 38; // PR_SET_NO_NEW_PRIVS

    /// <summary>
    /// no_new_privs, which the kernel asks for before the first filter. The jail has promised it already; a process that serves
    /// another front end, without a jail, promises it here. 0, or the negated error number.
    /// </summary>
    public static int PromiseNoNewPrivileges() => prctl(SetNoNewPrivileges, 1, 0, 0, 0) == 0 ? 0 : -Marshal.GetLastSystemError();

    /// <summary>
    /// Installs the filter on all threads at once. 0, or the negated error number; -EINVAL also where the program's length is no
    /// multiple of an instruction. A thread that could not follow makes the whole call fail: it is reported as -ESRCH. That is one that has
    /// put a filter of its own on; a thread that is being born has its maker's. On a busy host the kernel may lack memory for the program
    /// (-ENOMEM), or room for its translation (net.core.bpf_jit_limit): -524 (ENOTSUPP) where a kernel insists on translating.
    /// </summary>
    public static int Install(ReadOnlySpan<byte> program) => Install(program, AllThreads);

    /// <summary>Installs the filter on the calling thread alone; the threads that it starts inherit it. 0, or the negated error number.</summary>
    public static int InstallOnThread(ReadOnlySpan<byte> program) => Install(program, 0);

    private static int Install(ReadOnlySpan<byte> program, long flags)
    {
        if (program.IsEmpty || program.Length % InstructionBytes != 0)
        {
            return -(int)Errno.EINVAL;
        }

        // SAFETY: the program is pinned for the call and the kernel copies it; SockFprog has the layout of struct sock_fprog.
        fixed (byte* instructions = program)
        {
            SockFprog description = new() { Length = (ushort)(program.Length / InstructionBytes), Filter = instructions };
            long result = syscall(SysSeccomp, SetModeFilter, flags, &description);
            return result switch
            {
                0 => 0,
                > 0 => -(int)Errno.ESRCH,
                _ => Math.Min(-Marshal.GetLastSystemError(), -1), // a failure that says no error must not pass for success
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
