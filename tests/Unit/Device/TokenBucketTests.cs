using Sandbox.Device;

namespace Sandbox.Unit.Tests.Device;

public sealed class TokenBucketTests
{
    private const long Second = 1_000_000_000;
    private const long Millisecond = 1_000_000;

    [Fact]
    public void Rate_OfZero_BoundsNothing()
    {
        TokenBucket bucket = new(0, static () => throw new InvalidOperationException("nobody asks for the time"));
        bucket.Take(long.MaxValue);
        Assert.True(bucket.MayGo());
        Assert.Equal(0, bucket.WaitMilliseconds);
    }

    [Theory]
    [InlineData(1_000)]
    [InlineData(1_000_000)]
    [InlineData(10_000_000_000)]
    public void Mean_OverTime_IsTheRate(long rate)
    {
        long now = Second;
        TokenBucket bucket = new(rate, () => now);
        long unit = Math.Max(1, rate / 500);
        long sent = 0;
        for (; now < 101 * Second; now += Millisecond)
        {
            while (bucket.MayGo())
            {
                bucket.Take(unit);
                sent += unit;
            }
        }

        long expected = (100 * rate) + Math.Max(256 * 1024, rate / 20);
        Assert.InRange(sent, expected - (expected / 100) - unit, expected + unit);
    }

    // The next token of a slow rate is on its way, however often somebody asks.
    [Theory]
    [InlineData(3, 1)]
    [InlineData(3, 399)]
    [InlineData(7, 1001)]
    public void Mean_OfAFewASecond_IsTheRate(int rate, int lookEveryMilliseconds)
    {
        long now = Second;
        TokenBucket bucket = new(rate, () => now, minBurst: 16);
        int gone = 0;
        for (; now < 101 * Second; now += lookEveryMilliseconds * Millisecond)
        {
            while (bucket.MayGo())
            {
                bucket.Take(1);
                gone++;
            }
        }

        Assert.InRange(gone, (98 * rate) + 16, (100 * rate) + 16);
    }

    [Fact]
    public void Debt_OfOneLargeUnit_IsWaitedFor()
    {
        long now = 0;
        TokenBucket bucket = new(1_000_000, () => now);
        Assert.True(bucket.MayGo());
        bucket.Take((256 * 1024) + 500_000);
        now += Millisecond;
        Assert.False(bucket.MayGo());
        Assert.InRange(bucket.WaitMilliseconds, 490, 510);
        now += 501 * Millisecond;
        Assert.True(bucket.MayGo());
    }
}
