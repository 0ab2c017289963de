using Sandbox.Linux.PreRuntime;
using static Sandbox.Linux.Abi.ProbeCalls;

namespace Sandbox.Probe.Acts;

/// <summary>The kernel's other doors: the same calls under other numbers, which a filter must not overlook.</summary>
internal static class EntryActs
{
    private const int X32 = 0x40000000; // __X32_SYSCALL_BIT (asm/unistd.h)
    private const nint NotThere = -38; // ENOSYS

    internal static nint EnterAsX32() => RawCall.Call(X32 | SYS_getpid);

    internal static nint EnterAs32Bit()
    {
        nint result = RawEntry.GetPid();
        return result > 0 ? result : NotThere;
    }
}
