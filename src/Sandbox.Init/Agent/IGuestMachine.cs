using Sandbox.Control.Agent;

namespace Sandbox.Init.Agent;

/// <summary>What the agent does to the machine it runs on.</summary>
internal interface IGuestMachine
{
    /// <summary>Becomes what the host asks for. Null, or what failed.</summary>
    FailedMessage? Configure(ConfigureMessage configuration);

    /// <summary>Ends every process and brings the file systems in order.</summary>
    void Stop();
}
