namespace Sandbox.Device;

/// <summary>
/// Bounds a rate in bytes. A unit of work goes when the bucket is not in debt and may then put it there, so that one of any size passes in the
/// end and the mean is kept. A rate of 0 bounds nothing and never looks at a clock.
/// </summary>
internal sealed class TokenBucket
{
    private const long MicrosecondsPerSecond = 1_000_000;
    private const long NanosecondsPerMicrosecond = 1000;
    private const long StepMicroseconds = 1000; // smaller inflows would be rounded away
    private const int MaxWaitMilliseconds = 1000;

    // Some full-sized frames, or what flows in within a twentieth of a second: enough for a clock that ticks in milliseconds.
    private const long MinBurstBytes = 256 * 1024;
    private const long BurstsPerSecond = 20;

    private readonly long _bytesPerSecond;
    private readonly long _burstBytes;
    private long _tokens;
    private long _filledAt;

    /// <param name="bytesPerSecond">What flows in, up to 1 TiB; 0 for no bound.</param>
    public TokenBucket(long bytesPerSecond)
    {
        _bytesPerSecond = bytesPerSecond;
        _burstBytes = Math.Max(MinBurstBytes, bytesPerSecond / BurstsPerSecond);
        _tokens = _burstBytes;
    }

    public bool IsUnbounded => _bytesPerSecond == 0;

    /// <summary>How long until the bucket is out of debt, rounded up, a second at most: 0 when it is.</summary>
    public int WaitMilliseconds =>
        IsUnbounded || _tokens > 0 ? 0 : (int)Math.Min(MaxWaitMilliseconds, ((1 - _tokens) / Math.Max(1, _bytesPerSecond / 1000)) + 1);

    /// <summary>Whether the next unit may go.</summary>
    /// <param name="nowNanoseconds">A clock that never goes back.</param>
    public bool MayGo(long nowNanoseconds)
    {
        if (IsUnbounded)
        {
            return true;
        }

        long elapsed = (nowNanoseconds - _filledAt) / NanosecondsPerMicrosecond;
        if (elapsed >= StepMicroseconds)
        {
            long inflow = Math.Min(elapsed, MicrosecondsPerSecond) * _bytesPerSecond / MicrosecondsPerSecond;
            _tokens = Math.Min(_burstBytes, _tokens + inflow);
            _filledAt = inflow == 0 ? _filledAt : nowNanoseconds; // a slow rate: its first byte comes later
        }

        return _tokens > 0;
    }

    /// <summary>A unit has gone.</summary>
    public void Take(long bytes) => _tokens -= IsUnbounded ? 0 : bytes;
}
