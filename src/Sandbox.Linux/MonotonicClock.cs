using System.Diagnostics;

namespace Sandbox.Linux;

/// <summary>CLOCK_MONOTONIC, the same for every process of this machine: phases of a start that several processes pass are compared by it.</summary>
public static class MonotonicClock
{
    /// <summary>Nanoseconds since an unspecified point.</summary>
    public static long Nanoseconds => Stopwatch.GetTimestamp(); // Stopwatch.Frequency is 1e9 on Linux: clock_gettime(CLOCK_MONOTONIC)
}
