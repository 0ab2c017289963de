using System.Runtime;
using Sandbox.Linux.PreRuntime;

namespace Sandbox.Jail;

/// <summary>
/// The exe's two beginnings. The C library calls <c>main</c>, which is ours and goes straight into the jail; the .NET runtime
/// that is linked behind it is never started, so the process has one thread and every namespace is legal.
/// </summary>
internal static class Program
{
    private const int Failed = 125;

    // No local variables here: a stack cookie would be checked against one that the runtime may have set meanwhile.
    [RuntimeExport("main")]
    private static int NativeMain(int argumentCount, nint arguments)
    {
        JailStage.Run(isLabelled: argumentCount > 1);
        return Failed;
    }

    // The compiler wants a managed entry point. Whoever reaches it was not started through ours.
    private static int Main() => Failed;
}
