using System.Runtime.InteropServices;

namespace Sandbox.Unit.Tests.Seccomp;

/// <summary>A system call for the kernel to judge, and what it returned: struct call of judge.c.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KernelCall(bool byOldEntry, uint number, ulong[] arguments)
{
    private readonly uint _byOldEntry = byOldEntry ? 1u : 0u;
    private readonly uint _number = number;
    private readonly ulong _argument0 = arguments[0];
    private readonly ulong _argument1 = arguments[1];
    private readonly ulong _argument2 = arguments[2];
    private readonly ulong _argument3 = arguments[3];
    private readonly ulong _argument4 = arguments[4];
    private readonly ulong _argument5 = arguments[5];
    private readonly long _result = NotMade;

    /// <summary>What a call has returned that was not made.</summary>
    internal const long NotMade = long.MinValue;

    /// <summary>By int 0x80, the entry of i386; else by syscall, that of x86-64 and x32.</summary>
    internal readonly bool ByOldEntry => _byOldEntry != 0;

    internal readonly uint Number => _number;

    internal readonly ulong[] Arguments => [_argument0, _argument1, _argument2, _argument3, _argument4, _argument5];

    internal readonly long Result => _result;

    public override readonly string ToString() => $"{(ByOldEntry ? "i386 " : "")}call 0x{_number:x} with {string.Join(' ', Arguments.Select(static value => value.ToString("x")))}";
}
