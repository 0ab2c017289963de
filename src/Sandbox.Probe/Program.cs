using System.Runtime;

namespace Sandbox.Probe;

/// <summary>As in sandbox-jail: the C library calls our <c>main</c>; the .NET runtime that is linked behind it is never started.</summary>
internal static class Program
{
    // No local variables here: a stack cookie would be checked against one that the runtime may have set meanwhile.
    [RuntimeExport("main")]
    private static int NativeMain(int argumentCount, nint arguments)
    {
        Probe.Run();
        return Control.Proof.ProbeExit.NotAttempted;
    }

    private static int Main() => Control.Proof.ProbeExit.NotAttempted;
}
