namespace Sandbox.Bench.Figures;

/// <summary>What one thing measured several times came to. Never empty.</summary>
internal sealed class Series(IReadOnlyList<double> values)
{
    private readonly double[] _sorted = [.. values.Order()];

    /// <summary>In the order they were measured.</summary>
    public IReadOnlyList<double> Values => values;

    public double Minimum => _sorted[0];

    public double Median => Quantile(0.5);

    public double Maximum => _sorted[^1];

    /// <summary>The smallest value that <paramref name="share"/> of all do not exceed (nearest rank).</summary>
    public double Quantile(double share) => _sorted[Math.Clamp((int)Math.Ceiling(share * _sorted.Length) - 1, 0, _sorted.Length - 1)];
}
