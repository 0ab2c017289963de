namespace Sandbox.Proof;

/// <summary>An act that was attempted in the place of one process.</summary>
/// <param name="Act">Its name, for example <c>OpenPasswords</c>; it stays the same from version to version.</param>
/// <param name="Group">What sort of act it is, for example <c>sockets</c>.</param>
/// <param name="Text">What was attempted, in a few words.</param>
/// <param name="Outcome">What came of it behind every wall.</param>
/// <param name="WithoutFilter">What comes of it in the same jail before the filter is put on: what stands behind the filter. It decides nothing.</param>
/// <param name="Walls">The walls beside the filter that refuse it, each on its own. None: the filter alone does.</param>
public sealed record ActResult(string Act, string Group, string Text, ActOutcome Outcome, ActOutcome WithoutFilter, ConfinementWall Walls);
