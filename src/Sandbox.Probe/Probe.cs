using System.Runtime.CompilerServices;
using Sandbox.Control;
using Sandbox.Control.Proof;
using Sandbox.Linux;
using Sandbox.Linux.PreRuntime;

namespace Sandbox.Probe;

/// <summary>
/// Stands in the place of a sandbox process: the same jail, the same fds, the same filter, and then, instead of serving a
/// guest, one act that must be refused. It ends with what came of it (<see cref="ProbeExit"/>). Nothing here may allocate, throw or need
/// a static constructor: there is no runtime.
/// </summary>
internal static class Probe
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void Run()
    {
        Span<byte> buffer = stackalloc byte[ProbeOrderView.Bytes];
        if (RawFile.ReadFull(InheritedFds.Control, buffer) != buffer.Length || !ProbeOrderView.TryDecode(buffer, out ProbeOrderView order))
        {
            Fail("no order on fd 3: it is started by sandbox doctor --prove only\n"u8);
            return;
        }

        if (RawScratch.Create() < 0)
        {
            Fail("no memory\n"u8);
        }

        Place.Take(order.Process, order.Filtered);
        Finish(ActTable.Attempt(order.Act, order));
    }

    // By a message, as a filter may refuse even the end of the process; by the exit code too, for who runs it by hand.
    private static void Finish(nint result)
    {
        int code = result >= 0 ? ProbeExit.Done : result > -ProbeExit.EndOfErrors ? (int)-result : ProbeExit.NotAttempted;
        Span<byte> report = stackalloc byte[1];
        report[0] = (byte)code;
        _ = RawFile.Write(InheritedFds.Control, report);
        RawProcess.Exit(code);
    }

    internal static void Fail(ReadOnlySpan<byte> why)
    {
        _ = RawFile.Write(2, "sandbox-probe: "u8);
        _ = RawFile.Write(2, why);
        RawProcess.Exit(ProbeExit.NotAttempted);
    }
}
