using Sandbox.Linux;

namespace Sandbox.Bench.Machines;

/// <summary>Reads a guest's console and notes when each byte came. The guest marks its moments by writing one.</summary>
internal static class ConsoleClock
{
    private const int PatienceMilliseconds = 60_000;

    /// <summary>When the next byte that equals <paramref name="mark"/> was there, in nanoseconds of the monotonic clock.</summary>
    /// <exception cref="TimeoutException">It did not come.</exception>
    public static long WaitFor(FdHandle console, char mark)
    {
        Span<byte> one = [0];
        do
        {
            if (Poll.Wait(console.Number, PollEvents.Readable, PatienceMilliseconds, out _) <= 0 || FdIo.Read(console.Number, one) != 1)
            {
                throw new TimeoutException($"the guest never said '{mark}'");
            }
        }
        while (one[0] != mark);

        return MonotonicClock.Nanoseconds;
    }
}
