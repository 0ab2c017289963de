using System.Runtime;
using System.Runtime.CompilerServices;

namespace Sandbox.Linux.PreRuntime;

/// <summary>
/// System calls for code that runs before the .NET runtime exists: no collector, no exceptions, no static constructors, one
/// thread. Nothing here may allocate or throw. Only exes compiled ahead of time can call it; CoreCLR refuses.
/// </summary>
internal static unsafe class RawCall
{
    /// <summary>What the kernel returned, or the negated error number.</summary>
    internal static nint Call(nint number, nint argument0 = 0, nint argument1 = 0, nint argument2 = 0, nint argument3 = 0, nint argument4 = 0, nint argument5 = 0)
    {
        nint result = syscall(number, argument0, argument1, argument2, argument3, argument4, argument5);
        // SAFETY: the address of this thread's errno, which the C library made before it called main.
        return result == -1 ? -*__errno_location() : result;
    }

    /// <summary>True for text that the kernel can be given as a C string. All such text here is constant and ends in \0.</summary>
    internal static bool IsCString(ReadOnlySpan<byte> text) => !text.IsEmpty && text[^1] == 0;

    // glibc's syscall(2) wrapper: a plain function in the static exe.
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("syscall")]
    private static extern nint syscall(nint number, nint argument0, nint argument1, nint argument2, nint argument3, nint argument4, nint argument5);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("__errno_location")]
    private static extern int* __errno_location();
}
