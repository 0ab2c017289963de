namespace Sandbox.Bench.Figures;

/// <summary>Measures several things in turn, A B C A B C: a machine that becomes slower meanwhile slows them all.</summary>
internal static class Turns
{
    /// <summary>One series for each measurement, after a round that is not counted.</summary>
    public static Series[] Take(int rounds, params ReadOnlySpan<Func<double>> measurements)
    {
        List<double>[] values = new List<double>[measurements.Length];
        for (int round = -1; round < rounds; round++)
        {
            for (int index = 0; index < measurements.Length; index++)
            {
                double value = measurements[index]();
                if (round < 0)
                {
                    values[index] = [];
                }
                else
                {
                    values[index].Add(value);
                }
            }
        }

        return Array.ConvertAll(values, static list => new Series(list));
    }
}
