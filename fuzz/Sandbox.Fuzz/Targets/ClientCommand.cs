using Sandbox.Agent;
using Sandbox.Control.Agent;

namespace Sandbox.Fuzz.Targets;

/// <summary>One command of `client` in plain numbers. "Told" is what the guest has written, the rest what has reached the host.</summary>
internal sealed class ClientCommand(uint id, GuestProcess process, bool wantsInput)
{
    public uint Id { get; } = id;

    public GuestProcess Process { get; } = process;

    /// <summary>By the number of the stream; there is none for the input.</summary>
    public ClientStream[] Streams { get; } = [null!, new(), new()];

    public HostCommandPhase Told { get; set; }

    public HostCommandPhase Phase { get; set; }

    public bool ExecFailed { get; set; }

    public bool Abandoned { get; set; }

    /// <summary>It was abandoned and runs: the guest must be told to kill it.</summary>
    public bool MustBeKilled { get; set; }

    public bool KillSeen { get; set; }

    public bool InputOpen { get; set; } = wantsInput;

    public bool ToldInputEnd { get; set; }

    public bool InputEndSeen { get; set; }

    /// <summary>Input that the operator's writes have brought into the queue.</summary>
    public int InputWritten { get; set; }

    /// <summary>Input that the guest has seen.</summary>
    public int InputSeen { get; set; }

    /// <summary>Leave that the guest has given back, told and heard.</summary>
    public int ToldGranted { get; set; }

    public int Granted { get; set; }

    public int InputLeave => AgentLimits.StreamWindowBytes - InputWritten + Granted;
}

/// <summary>Output or error of a <see cref="ClientCommand"/>: byte n of it is n modulo 251.</summary>
internal sealed class ClientStream
{
    public int Told { get; set; }

    public bool ToldEnd { get; set; }

    public int Received { get; set; }

    public bool Ended { get; set; }

    public int Read { get; set; }

    public bool Closed { get; set; }

    /// <summary>It was closed while the command ran and wrote: the guest must be told.</summary>
    public bool MustBeRefused { get; set; }

    public bool RefusalSeen { get; set; }

    /// <summary>Leave that has come to the guest beyond the first.</summary>
    public int Credited { get; set; }

    public int ToldLeave => AgentLimits.StreamWindowBytes - Told + Credited;

    /// <summary>What has left the host's buffers; of a stream that nobody reads, everything.</summary>
    public int Gone => Closed ? Received : Read;
}
