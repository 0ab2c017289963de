using Sandbox.Virtio;

namespace Sandbox.Device.Rng;

/// <summary>virtio-rng (virtio 1.2 §5.4): fills each buffer from getrandom(2). One queue, no configuration.</summary>
internal sealed class EntropyDevice() : VirtioDevice(1)
{
    /// <summary>A driver that asks for more gets this much of it: the work for one request is bounded.</summary>
    internal const int MaxRequestBytes = 4096;

    private const int RequestsPerTurn = 64;

    private readonly DescriptorChain _chain = new();

    public override ulong OfferedFeatures =>
        VirtioFeatureBits.Version1 | VirtioFeatureBits.RingIndirectDescriptors | VirtioFeatureBits.RingEventIndex;

    public override bool Work()
    {
        DeviceQueue queue = Queues[0];
        queue.Ring.SuppressKicks();
        int done = 0;
        while (done < RequestsPerTurn && queue.Ring.TryPop(_chain))
        {
            Fill();
            queue.Ring.Complete(_chain.HeadIndex, (uint)_filled);
            done++;
        }

        _chain.Clear();
        bool more = queue.Ring.EnableKicks();
        queue.Notify();
        return more;
    }

    private long _filled;

    private void Fill()
    {
        _filled = 0;
        while (_filled < MaxRequestBytes && !_chain.Writable.IsEmpty)
        {
            long count = _chain.Writable.FillRandom(MaxRequestBytes - (int)_filled);
            if (count <= 0)
            {
                return;
            }

            _filled += count;
        }
    }
}
