namespace Sandbox.Bench.Figures;

/// <summary>One figure of ours beside the same figure of a counterpart, measured in turn in the same run.</summary>
/// <param name="Subject">What was measured.</param>
/// <param name="Unit">Of both series.</param>
/// <param name="Ours">What of ours was measured, and the values.</param>
/// <param name="Theirs">The counterpart and its values.</param>
/// <param name="Goal">What the ratio should be, in words; empty where there is none.</param>
internal sealed record Comparison(string Subject, string Unit, (string Name, Series Values) Ours, (string Name, Series Values) Theirs, string Goal = "")
{
    /// <summary>Ours divided by theirs, pair by pair; of the medians where the counts differ.</summary>
    public Series Ratio { get; } = Ours.Values.Values.Count == Theirs.Values.Values.Count
        ? new Series([.. Ours.Values.Values.Zip(Theirs.Values.Values, static (ours, theirs) => ours / theirs)])
        : new Series([Ours.Values.Median / Theirs.Values.Median]);
}
