namespace Sandbox.Bench.Figures;

/// <summary>Figures that are counted or read off, not timed.</summary>
/// <param name="Title">What it is about.</param>
/// <param name="Columns">Heads.</param>
/// <param name="Rows">Each as long as the heads.</param>
/// <param name="Note">How the figures were got; may be empty.</param>
internal sealed record Table(string Title, IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows, string Note = "");
