using Sandbox.Fuzz.Engine;

namespace Sandbox.Fuzz.Devices;

/// <summary>What a bounded disk may have done by a moment: what goes at once, what has flowed in since, and one request more, which may run into debt.</summary>
/// <param name="bytesPerSecond">0 for no bound.</param>
/// <param name="requestsPerSecond">0 for no bound.</param>
/// <param name="start">Of the clock, in nanoseconds.</param>
internal sealed class RateModel(long bytesPerSecond, long requestsPerSecond, long start)
{
    /// <summary>Less than a real disk's 256 KiB, which a run of a few dozen small requests never uses up.</summary>
    public const long BurstBytes = 4 * 1024;

    private const long BurstRequests = 16;
    private const int BurstsPerSecond = 20;
    private const long NanosecondsPerSecond = 1_000_000_000;

    private long _bytes;
    private long _requests;
    private long _largest;

    public void Answered(long bytes, long now)
    {
        _bytes += bytes;
        _requests++;
        _largest = Math.Max(_largest, bytes);
        Require(_bytes, bytesPerSecond, BurstBytes, _largest, now, "bytes");
        Require(_requests, requestsPerSecond, BurstRequests, 1, now, "requests");
    }

    private void Require(long done, long perSecond, long leastBurst, long debt, long now, string what)
    {
        Int128 allowed = Math.Max(leastBurst, perSecond / BurstsPerSecond) + ((Int128)(now - start) * perSecond / NanosecondsPerSecond) + debt;
        if (perSecond != 0 && done > allowed)
        {
            throw new FindingException($"disk: {done} {what} have gone at a rate of {perSecond} a second; {allowed} may");
        }
    }
}
