namespace Sandbox.Device;

/// <summary>
/// Bounds a rate, of bytes or of whatever is counted. A unit of work goes when the bucket is not in debt and may then put it there, so that one of
/// any size passes in the end and the mean is kept. A rate of 0 bounds nothing and never looks at a clock.
/// </summary>
internal sealed class TokenBucket
{
    private const long MicrosecondsPerSecond = 1_000_000;
    private const long NanosecondsPerMicrosecond = 1000;
    private const long MillisecondsPerSecond = 1000;
    private const long StepMicroseconds = 1000; // smaller inflows would be rounded away
    private const int MaxWaitMilliseconds = 1000;

    /// <summary>The least burst of bytes.</summary>
    public const long MinBurstBytes = 256 * 1024;

    // What flows in within a twentieth of a second: enough for a clock that ticks in milliseconds.
    private const long BurstsPerSecond = 20;

    private readonly long _perSecond;
    private readonly long _burst;
    private readonly Func<long> _clock;
    private long _tokens;
    private long _filledAt;

    /// <param name="perSecond">What flows in, up to 2^40; 0 for no bound.</param>
    /// <param name="clock">In nanoseconds, never going back.</param>
    /// <param name="minBurst">What goes at once after a pause, at least; of bytes, some full-sized frames.</param>
    public TokenBucket(long perSecond, Func<long> clock, long minBurst = MinBurstBytes)
    {
        _clock = clock;
        _perSecond = perSecond;
        _burst = Math.Max(minBurst, perSecond / BurstsPerSecond);
        _tokens = _burst;
    }

    /// <summary>How long until the bucket is out of debt, rounded up, a second at most: 0 when it is.</summary>
    public int WaitMilliseconds =>
        IsUnbounded || _tokens > 0 ? 0 : (int)Math.Min(MaxWaitMilliseconds, ((1 - _tokens) * MillisecondsPerSecond / _perSecond) + 1);

    /// <summary>Whether the next unit may go.</summary>
    public bool MayGo()
    {
        if (IsUnbounded)
        {
            return true;
        }

        Fill();
        return _tokens > 0;
    }

    /// <summary>A unit has gone.</summary>
    public void Take(long amount) => _tokens -= IsUnbounded ? 0 : amount;

    private bool IsUnbounded => _perSecond == 0;

    private void Fill()
    {
        long now = _clock();
        long elapsed = (now - _filledAt) / NanosecondsPerMicrosecond;
        if (elapsed < StepMicroseconds)
        {
            return;
        }

        long inflow = Math.Min(elapsed, MicrosecondsPerSecond) * _perSecond / MicrosecondsPerSecond;
        _tokens = Math.Min(_burst, _tokens + inflow);
        // Not further than to the moment in which the last whole token came: of a slow rate, the next is on its way.
        _filledAt = elapsed >= MicrosecondsPerSecond
            ? now
            : _filledAt + (((inflow * MicrosecondsPerSecond) + _perSecond - 1) / _perSecond * NanosecondsPerMicrosecond);
    }
}
