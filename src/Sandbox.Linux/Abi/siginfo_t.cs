using System.Runtime.InteropServices;

namespace Sandbox.Linux.Abi;

/// <summary>siginfo_t as waitid(2) fills it for a child.</summary>
[StructLayout(LayoutKind.Explicit, Size = 128)]
internal struct siginfo_t
{
    [FieldOffset(0)]
    internal int si_signo;

    [FieldOffset(8)]
    internal int si_code;

    [FieldOffset(16)]
    internal int si_pid;

    [FieldOffset(20)]
    internal uint si_uid;

    [FieldOffset(24)]
    internal int si_status;
}
