using static Sandbox.Linux.Abi.Constants;
using static Sandbox.Linux.Abi.SystemCalls;
using static Sandbox.Linux.PreRuntime.RawCall;

namespace Sandbox.Linux.PreRuntime;

/// <summary>A compiled seccomp filter, before the runtime exists.</summary>
public static unsafe class RawFilter
{
    private const int InstructionBytes = 8; // struct sock_filter

    /// <summary>Puts it over this process; no_new_privs must be set or the capability there. 0, or the negated error number.</summary>
    public static nint Install(ReadOnlySpan<byte> program, bool allThreads)
    {
        // SAFETY: struct sock_fprog is a 16-bit count and, at offset 8, a pointer; the kernel copies what it points to.
        fixed (byte* instructions = program)
        {
            ulong* description = stackalloc ulong[2];
            description[0] = (ulong)(program.Length / InstructionBytes);
            description[1] = (ulong)instructions;
            return Call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, allThreads ? SECCOMP_FILTER_FLAG_TSYNC : 0, (nint)description);
        }
    }
}
