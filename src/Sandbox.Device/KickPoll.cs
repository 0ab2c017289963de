using System.Runtime.Intrinsics.X86;
using Sandbox.Linux;

namespace Sandbox.Device;

/// <summary>
/// A short look for the driver's next request before this process sleeps. A driver that goes on at once then need not kick, which costs it an
/// exit and this process a wake-up. It looks only where that pays: a look in vain is followed by a sleep without one, then by three, seven, up
/// to 255; one that finds something is followed by the next. So a quiet device looks at every 256th wake-up, one whose vCPU shares its
/// processor takes no time from it, and the first requests of a guest that starts are waited for as ever.
/// </summary>
/// <param name="rounds">How often to look before giving up; 0 for never.</param>
internal sealed class KickPoll(int rounds)
{
    // As long as a driver of its own accord takes from an answer to its next request, and an exit and a wake-up together at their slowest.
    private const int LookMicroseconds = 32;

    private const int MaxSleeps = 255;
    private const int FirstSleeps = 63;

    private int _sleeps = FirstSleeps;
    private int _sleepsLeft = FirstSleeps;

    /// <summary>Measures how long a round takes on this processor: a filter grants no look at a clock. A few microseconds, before the filter.</summary>
    /// <param name="queues">Those to look at later; none is set up yet.</param>
    public static KickPoll Measured(ReadOnlySpan<DeviceQueue> queues)
    {
        const int Rounds = 64;
        const int Attempts = 3;
        long shortest = long.MaxValue; // the one that nothing interrupted
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            long before = MonotonicClock.Nanoseconds;
            _ = Look(queues, Rounds);
            shortest = Math.Min(shortest, MonotonicClock.Nanoseconds - before);
        }

        return new KickPoll((int)(LookMicroseconds * 1000L * Rounds / Math.Max(shortest, Rounds)));
    }

    /// <summary>True as soon as a ring has a chain, false after a while, or at once where a look has not paid lately.</summary>
    public bool Await(ReadOnlySpan<DeviceQueue> queues)
    {
        if (rounds == 0 || _sleepsLeft-- > 0)
        {
            return false;
        }

        bool found = Look(queues, rounds);
        _sleeps = found ? 0 : Math.Min((2 * _sleeps) + 1, MaxSleeps);
        _sleepsLeft = _sleeps;
        return found;
    }

    private static bool Look(ReadOnlySpan<DeviceQueue> queues, int rounds)
    {
        for (int round = 0; round < rounds; round++)
        {
            if (DeviceQueue.HaveAvailable(queues))
            {
                return true;
            }

            if (X86Base.IsSupported)
            {
                X86Base.Pause();
            }
        }

        return false;
    }
}
