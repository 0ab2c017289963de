namespace Sandbox.Proof;

/// <summary>Every act, attempted in the place of one process of a sandbox.</summary>
/// <param name="Process">Whose place it was, for example <c>sandbox-device (block)</c>.</param>
/// <param name="Acts">In the order in which they are shown; those of a group follow each other.</param>
public sealed record ProcessProof(string Process, IReadOnlyList<ActResult> Acts)
{
    /// <summary>Whether every act was attempted and refused.</summary>
    public bool Holds => Acts.All(static act => act.Outcome.IsRefused);
}
