namespace Sandbox;

/// <summary>The size of a terminal in characters.</summary>
/// <param name="Rows">0 for unknown.</param>
/// <param name="Columns">0 for unknown.</param>
public readonly record struct TerminalSize(ushort Rows, ushort Columns);
