using Sandbox.Control.Proof;

namespace Sandbox.Proof;

/// <summary>An act in words.</summary>
/// <param name="Act">What the probe is told.</param>
/// <param name="Text">What it attempts, in a few words.</param>
/// <param name="Walls">The walls beside the filter that refuse it on their own.</param>
internal sealed record ActInfo(ForbiddenAct Act, string Text, ConfinementWall Walls)
{
    /// <summary>The heading under which it is shown.</summary>
    public string Group { get; init; } = "";
}
