using Sandbox.Bench.Figures;

namespace Sandbox.Bench.Report;

/// <summary>Everything of one run.</summary>
internal sealed record Findings(DateTime Taken, IReadOnlyList<string> Machine, IReadOnlyList<Comparison> Comparisons, IReadOnlyList<Table> Tables);
