using System.Runtime.CompilerServices;

namespace Sandbox.Linux.PreRuntime;

/// <summary>The kernel's entry for 32-bit programs (int 0x80), for the probe: no compiler of ours emits it, and memory that we write cannot be executed.</summary>
internal static unsafe class RawEntry
{
    // xor eax, eax; mov al, 20; int 0x80; ret; nop - as a little-endian number. 20 is getpid there (asm/unistd_32.h).
    private const ulong GetPidByInterrupt = 0x90C3_80CD_14B0_C031;
    private const int LongestPrologue = 64;

    /// <summary>
    /// getpid(2) by the 32-bit entry. An attacker who cannot bring code uses bytes that lie in ours: those of a constant, which
    /// the compiler puts into an instruction. Zero: they are not there.
    /// </summary>
    internal static nint GetPid()
    {
        // SAFETY: the code of our own function, which is at least as long as the instruction that holds its constant; beyond it
        // lies more code of this exe. The bytes change eax and what any call may change, and return. Called without
        // transition: a managed function pointer means something else when its second bit is set.
        byte* code = (byte*)(delegate*<ulong>)&Carrier;
        for (int offset = 0; offset < LongestPrologue; offset++)
        {
            if (*(ulong*)(code + offset) == GetPidByInterrupt)
            {
                return ((delegate* unmanaged[SuppressGCTransition]<nint>)(code + offset))();
            }
        }

        return 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ulong Carrier() => GetPidByInterrupt;
}
