using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Virtio;
using Sandbox.Virtio.Balloon;

namespace Sandbox.Device.Balloon;

/// <summary>
/// virtio-balloon (virtio 1.2 §5.5): memory that the guest does without becomes the host's again. What counts is free page reporting, which the
/// guest's kernel does by itself; the target is zero and stays so, so a driver by the book never inflates. It may all the same.
/// </summary>
internal sealed class BalloonDevice() : VirtioDevice(QueueCount)
{
    /// <summary>The driver names pages that it will not touch.</summary>
    internal const int InflateQueue = 0;

    /// <summary>The driver names pages that it takes back.</summary>
    internal const int DeflateQueue = 1;

    /// <summary>
    /// The driver lends free pages until they are answered. §5.5.2 counts every queue that the specification knows, and has 4 here; drivers (Linux, all versions) and
    /// devices (QEMU) count those whose features are agreed: neither the statistics' queue nor the hints' is there.
    /// </summary>
    internal const int ReportingQueue = 2;

    internal const int QueueCount = 3;

    /// <summary>Four times what Linux names in one request. A page that is not returned is no harm: it stays the guest's.</summary>
    internal const int MaxPagesPerRequest = 1024;

    private const int PagesAtOnce = 128;

    // Each is up to a thousand calls: launcher and frontend, who want their answers, wait for no more than these.
    private const int RequestsPerTurn = 16;

    private readonly DescriptorChain _chain = new();
    private readonly byte[] _configSpace = new byte[BalloonConfigSpace.SizeBytes];
    private bool _failureTold;

    public override ulong OfferedFeatures =>
        VirtioFeatureBits.Version1 | VirtioFeatureBits.RingIndirectDescriptors | VirtioFeatureBits.RingEventIndex
        | BalloonFeatureBits.DeflateOnOom | BalloonFeatureBits.Reporting;

    // Until a request is answered its pages are nobody's: returned twice, they are returned.
    public override bool CanReplay => true;

    public override ReadOnlySpan<byte> ConfigSpace => _configSpace;

    public override bool Work()
    {
        bool more = false;
        for (int index = 0; index < QueueCount; index++)
        {
            more |= Work(index);
        }

        return more;
    }

    private bool Work(int index)
    {
        DeviceQueue queue = Queues[index];
        queue.Ring.SuppressKicks();
        for (int done = 0; done < RequestsPerTurn && queue.Ring.TryPop(_chain); done++)
        {
            switch (index)
            {
                case InflateQueue:
                    Inflate(queue.Ring);
                    break;
                case ReportingQueue:
                    Return(_chain.Writable);
                    break;
                default:
                    break; // what is touched again is there again: nothing to do, nothing to read
            }

            queue.Ring.Complete(_chain.HeadIndex, 0);
        }

        _chain.Clear();
        bool more = queue.Ring.EnableKicks();
        queue.Notify();
        return more;
    }

    private void Inflate(SplitVirtqueue ring)
    {
        Span<GuestAddress> pages = stackalloc GuestAddress[PagesAtOnce];
        int count;
        for (int done = 0; done < MaxPagesPerRequest && (count = PageNumbers.Take(_chain.Readable, pages)) != 0; done += count)
        {
            foreach (GuestAddress page in pages[..count])
            {
                // A number of no page of the guest's: nothing to return.
                if (ring.TryGetSlice(page, PageNumbers.PageBytes, out GuestSlice slice))
                {
                    Tell(slice.ReturnToHost());
                }
            }
        }
    }

    // A buffer a run of pages (§5.5.6.7); a chain has DescriptorChain.MaxDescriptors at most.
    private void Return(GuestVector pages)
    {
        while (!pages.IsEmpty)
        {
            Tell(pages.ReturnFrontToHost());
        }
    }

    // A frontend's memory may be of a kind that cannot be returned. Then it stays, which is no harm to the guest: one line, and on.
    private void Tell(int result)
    {
        if (result < 0 && !_failureTold && DeviceLog.HasRoom)
        {
            _failureTold = true;
            DeviceLog.Line($"memory could not be returned to the host: {(Errno)(-result)}");
        }
    }
}
