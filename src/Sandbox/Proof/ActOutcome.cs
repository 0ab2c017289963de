using Sandbox.Control.Proof;
using Sandbox.Linux;

namespace Sandbox.Proof;

/// <summary>What came of one attempt.</summary>
/// <param name="Refusal">Whether and how it was refused.</param>
/// <param name="How">The error's name (<c>EPERM</c>), <c>killed</c> where the filter ended the process, or how else it ended.</param>
public readonly record struct ActOutcome(ActRefusal Refusal, string How)
{
    private const int BadSystemCall = 31; // SIGSYS
    private const int SegmentationFault = 11; // SIGSEGV
    private const int FileSizeExceeded = 25; // SIGXFSZ

    /// <summary>The attempt came to nothing.</summary>
    public bool IsRefused => Refusal is ActRefusal.Killed or ActRefusal.Error or ActRefusal.Signal;

    /// <param name="said">The byte that the probe sent, or null.</param>
    /// <param name="status">How it ended.</param>
    internal static ActOutcome Of(byte? said, ExitStatus status) => (said ?? status.Code, said.HasValue ? 0 : status.Signal) switch
    {
        (_, BadSystemCall) => new(ActRefusal.Killed, "killed"),
        (_, FileSizeExceeded) => new(ActRefusal.Signal, "SIGXFSZ"),
        // The entry for 32-bit programs of a kernel that has none.
        (_, SegmentationFault) => new(ActRefusal.Signal, "SIGSEGV"),
        (ProbeExit.Done, _) => new(ActRefusal.None, "done"),
        ( > 0 and < ProbeExit.EndOfErrors, 0) => new(ActRefusal.Error, ((Errno)(said ?? status.Code)).ToString()),
        _ => new(ActRefusal.NotAttempted, status.ToString()),
    };
}
