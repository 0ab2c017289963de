using Sandbox.Memory;
using Sandbox.Virtio;

namespace Sandbox.Device.Rng;

/// <summary>virtio-rng (virtio 1.2 §5.4): fills each buffer from getrandom(2). One queue, no configuration.</summary>
/// <param name="clock">For the bound of its rate, in nanoseconds; null for no bound.</param>
internal sealed class EntropyDevice(Func<long>? clock = null) : VirtioDevice(1)
{
    /// <summary>Far more than a kernel or a program seeds itself with, and a hundredth of what one processor of the host can make.</summary>
    internal const int BytesPerSecond = 1 << 20;

    /// <summary>A driver that asks for more gets this much of it: the work for one request is bounded.</summary>
    internal const int MaxRequestBytes = 4096;

    private const int RequestsPerTurn = 64;

    // Requests for nothing cost this process time too.
    private const uint MinRequestCost = 16;

    private readonly DescriptorChain _chain = new();
    private readonly TokenBucket _rate = new(clock is null ? 0 : BytesPerSecond, clock ?? (static () => 0));
    private int _waitMilliseconds = -1;

    public override ulong OfferedFeatures =>
        VirtioFeatureBits.Version1 | VirtioFeatureBits.RingIndirectDescriptors | VirtioFeatureBits.RingEventIndex;

    public override bool CanReplay => true;

    public override int WaitMilliseconds => _waitMilliseconds;

    /// <summary>One with a bounded rate.</summary>
    public static EntropyDevice Create() => new(TickClock.Start());

    public override bool Work()
    {
        DeviceQueue queue = Queues[0];
        queue.Ring.SuppressKicks();
        _waitMilliseconds = -1;
        bool waits = false;
        for (int done = 0; done < RequestsPerTurn && !(waits = MustWait(queue.Ring)) && queue.Ring.TryPop(_chain); done++)
        {
            uint filled = Fill(_chain.Writable);
            _rate.Take(Math.Max(filled, MinRequestCost));
            queue.Ring.Complete(_chain.HeadIndex, filled);
        }

        _chain.Clear();
        bool more = !waits && queue.Ring.EnableKicks(); // what waits is looked at again without a kick
        queue.Notify();
        return more;
    }

    private bool MustWait(SplitVirtqueue ring)
    {
        if (!ring.HasAvailable || _rate.MayGo())
        {
            return false;
        }

        _waitMilliseconds = _rate.WaitMilliseconds;
        return true;
    }

    private static uint Fill(GuestVector target)
    {
        uint filled = 0;
        while (filled < MaxRequestBytes && !target.IsEmpty)
        {
            long count = target.FillRandom(MaxRequestBytes - (int)filled);
            if (count <= 0)
            {
                break; // what there is so far is random
            }

            filled += (uint)count;
        }

        return filled;
    }
}
