namespace Sandbox.Unit.Tests;

/// <summary>Tells what code allocates on this thread.</summary>
internal static class Allocations
{
    /// <summary>
    /// The least of at most three runs, in bytes; a run without any is the last. What the code itself allocates it allocates each time; a collection that another test starts
    /// meanwhile adds the rest of a buffer to one run.
    /// </summary>
    public static long Least(Func<long> runAndMeasure)
    {
        long least = long.MaxValue;
        for (int run = 0; run < 3 && least != 0; run++)
        {
            least = Math.Min(least, runAndMeasure());
        }

        return least;
    }
}
