using Sandbox.Control.Launch;

namespace Sandbox.Device.Block;

/// <summary>
/// What bounds a disk: bytes moved and requests made in a second, by all its queues and in both directions together. A request goes when neither
/// is in debt; what it asks for is counted as it goes, so that one of any size passes in the end. One that must wait stays in the ring.
/// </summary>
/// <param name="bytesPerSecond">0 for no bound.</param>
/// <param name="operationsPerSecond">0 for no bound. Flushes and discards count as any other: a driver cannot make up for its rate with them.</param>
/// <param name="clock">In nanoseconds, never going back.</param>
/// <param name="minBurstBytes">What goes at once after a pause, at least.</param>
internal sealed class BlockRate(long bytesPerSecond, long operationsPerSecond, Func<long> clock, long minBurstBytes = TokenBucket.MinBurstBytes)
{
    private const int MinBurstOperations = 16;

    private readonly TokenBucket _bytes = new(bytesPerSecond, clock, minBurstBytes);
    private readonly TokenBucket _operations = new(operationsPerSecond, clock, MinBurstOperations);

    /// <summary>How long until the next request may go, in milliseconds, a second at most.</summary>
    public int WaitMilliseconds => Math.Max(_bytes.WaitMilliseconds, _operations.WaitMilliseconds);

    /// <summary>Null where the spec bounds nothing.</summary>
    public static BlockRate? Of(DeviceLaunchSpec spec)
    {
        if (spec.BytesPerSecond == 0 && spec.OperationsPerSecond == 0)
        {
            return null;
        }

        return new BlockRate(spec.BytesPerSecond, spec.OperationsPerSecond, TickClock.Start());
    }

    /// <summary>Whether the next request may go.</summary>
    public bool MayGo() => _bytes.MayGo() & _operations.MayGo();

    /// <summary>A request goes.</summary>
    /// <param name="bytes">What it reads, writes or fills with zeroes.</param>
    public void Take(ulong bytes)
    {
        _bytes.Take((long)bytes);
        _operations.Take(1);
    }
}
