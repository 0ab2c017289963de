using Sandbox.Memory;
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

    public override bool CanReplay => true;

    public override bool Work()
    {
        DeviceQueue queue = Queues[0];
        queue.Ring.SuppressKicks();
        for (int done = 0; done < RequestsPerTurn && queue.Ring.TryPop(_chain); done++)
        {
            queue.Ring.Complete(_chain.HeadIndex, Fill(_chain.Writable));
        }

        _chain.Clear();
        bool more = queue.Ring.EnableKicks();
        queue.Notify();
        return more;
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
