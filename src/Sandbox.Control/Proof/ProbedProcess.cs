namespace Sandbox.Control.Proof;

/// <summary>Whose place the probe takes: which fds it holds and which filter it is under.</summary>
public enum ProbedProcess : byte
{
    /// <summary>Nobody's: no fds but those of the order, and never a filter.</summary>
    None = 0,
    BlockDevice = 1,
    EntropyDevice = 2,
    VsockDevice = 3,

    /// <summary>The VMM's main thread.</summary>
    Vmm = 4,

    /// <summary>A thread of the VMM that runs a virtual CPU.</summary>
    VmmVcpu = 5,
    NetworkDevice = 6,
    BalloonDevice = 7,
}
