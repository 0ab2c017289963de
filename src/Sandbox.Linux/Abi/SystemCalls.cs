namespace Sandbox.Linux.Abi;

/// <summary>System call numbers of x86-64 (asm/unistd_64.h).</summary>
internal static class SystemCalls
{
    internal const int SYS_getrandom = 318;
    internal const int SYS_pidfd_send_signal = 424;
    internal const int SYS_pidfd_open = 434;
}
