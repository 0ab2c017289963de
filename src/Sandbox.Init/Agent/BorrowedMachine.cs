using Sandbox.Control.Agent;

namespace Sandbox.Init.Agent;

/// <summary>A machine that is not ours: the agent runs as an ordinary process of it, changes nothing and ends nothing but its own commands.</summary>
internal sealed class BorrowedMachine : IGuestMachine
{
    public FailedMessage? Configure(ConfigureMessage configuration) => null;

    public void Stop()
    {
        // Its processes are not ours.
    }
}
