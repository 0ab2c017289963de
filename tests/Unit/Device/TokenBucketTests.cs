using Sandbox.Device;

namespace Sandbox.Unit.Tests.Device;

public sealed class TokenBucketTests
{
    private const long Second = 1_000_000_000;
    private const long Millisecond = 1_000_000;

    [Fact]
    public void Rate_OfZero_BoundsNothing()
    {
        TokenBucket bucket = new(0);
        bucket.Take(long.MaxValue);
        Assert.True(bucket.MayGo(0));
        Assert.Equal(0, bucket.WaitMilliseconds);
    }

    [Theory]
    [InlineData(1_000)]
    [InlineData(1_000_000)]
    [InlineData(10_000_000_000)]
    public void Mean_OverTime_IsTheRate(long rate)
    {
        TokenBucket bucket = new(rate);
        long unit = Math.Max(1, rate / 500);
        long now = Second;
        _ = bucket.MayGo(now);
        long sent = 0;
        for (; now < 101 * Second; now += Millisecond)
        {
            while (bucket.MayGo(now))
            {
                bucket.Take(unit);
                sent += unit;
            }
        }

        long expected = (100 * rate) + Math.Max(256 * 1024, rate / 20);
        Assert.InRange(sent, expected - (expected / 100) - unit, expected + unit);
    }

    [Fact]
    public void Debt_OfOneLargeUnit_IsWaitedFor()
    {
        TokenBucket bucket = new(1_000_000);
        Assert.True(bucket.MayGo(Second));
        bucket.Take((256 * 1024) + 500_000);
        Assert.False(bucket.MayGo(Second + Millisecond));
        Assert.InRange(bucket.WaitMilliseconds, 490, 510);
        Assert.True(bucket.MayGo(Second + (502 * Millisecond)));
    }
}
