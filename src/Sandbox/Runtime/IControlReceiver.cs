using Sandbox.Control.Launch;

namespace Sandbox.Runtime;

/// <summary>Takes the messages of one process.</summary>
internal interface IControlReceiver
{
    void Received(Ready ready);

    void Received(PhaseReached phase);

    void Received(Ended ended);

    /// <summary>A fault: this process has no such question, or not now.</summary>
    LaunchFault Received(VsockConnect connect);
}
