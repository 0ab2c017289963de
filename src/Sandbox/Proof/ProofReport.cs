namespace Sandbox.Proof;

/// <summary>What a compromised process of a sandbox could do on this host.</summary>
/// <param name="Processes">Each process that guest bytes reach.</param>
public sealed record ProofReport(IReadOnlyList<ProcessProof> Processes)
{
    /// <summary>Whether every act was attempted and refused in the place of every process.</summary>
    public bool Holds => Processes.All(static process => process.Holds);
}
