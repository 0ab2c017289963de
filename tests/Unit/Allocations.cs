namespace Sandbox.Unit.Tests;

/// <summary>Tells what code allocates on this thread.</summary>
internal static class Allocations
{
    /// <summary>
    /// The least of three runs, in bytes. What the code itself allocates it allocates each time; a collection that another test starts
    /// meanwhile adds the rest of a buffer to one run.
    /// </summary>
    public static long Least(Func<long> runAndMeasure) =>
        Enumerable.Range(0, 3).Min(_ => runAndMeasure());
}
