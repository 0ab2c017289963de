using Sandbox.Memory;
using Sandbox.Virtio;
using Sandbox.Virtio.Net;

namespace Sandbox.Device.Net;

/// <summary>
/// From the network to the guest (virtio 1.2 §5.1.6.4): a frame goes whole or not at all, over several buffers where that was agreed. Each goes
/// to the pair that its flow belongs to (§5.1.6.5.5), in order: where that has no buffers, it waits, and all behind it.
/// </summary>
/// <param name="backing">Where frames come from.</param>
/// <param name="rate">Bytes a second.</param>
/// <param name="flows">Knows which queue a flow is sent on.</param>
/// <param name="drops">Counts what went nowhere.</param>
internal sealed class NetReceiver(NetBacking backing, TokenBucket rate, FlowTable flows, NetDrops drops)
{
    private const int FramesPerTurn = 128;

    private readonly DescriptorChain _chain = new();
    private readonly GuestVector _headerRoom = new(GuestVector.MaxCapacity);
    private readonly byte[] _header = new byte[NetHeader.SizeBytes];
    private readonly UsedChain[] _used = new UsedChain[SplitVirtqueue.MaxSize];
    private int _usedCount;

    private enum Outcome
    {
        Delivered,
        Undeliverable,
        TooFewBuffers,
        QueueFault,
    }

    /// <summary>Nothing to do until the backing has a frame.</summary>
    public bool WaitsForBacking { get; private set; }

    /// <summary>Frames wait for this long, in milliseconds; -1: for nothing.</summary>
    public int WaitMilliseconds { get; private set; }

    public ulong Features { get; set; }

    /// <summary>True when there is more and nothing stands in its way.</summary>
    public bool Work(NetQueues queues)
    {
        WaitsForBacking = false;
        WaitMilliseconds = -1;
        for (int pair = 0; pair < queues.InUse; pair++)
        {
            if (queues.CanReceive(pair))
            {
                queues.Receive(pair).Ring.SuppressKicks(); // of one that never had buffers, a kick tells of the first
            }
        }

        bool more = true;
        for (int done = 0; more && done < FramesPerTurn; done++)
        {
            more = Step(queues);
        }

        _chain.Clear();
        _headerRoom.Clear();
        return more;
    }

    private bool Step(NetQueues queues)
    {
        if (!queues.Receive(0).Ring.IsRunning)
        {
            return false; // the first pair is in use as long as any is
        }

        if (!rate.MayGo())
        {
            WaitMilliseconds = rate.WaitMilliseconds;
            return false;
        }

        if (!backing.TryReceive())
        {
            WaitsForBacking = true;
            return false;
        }

        long length = backing.Frame.Length;
        SplitVirtqueue ring = queues.Receive(Steer(queues)).Ring;
        Outcome outcome = TryAdapt(out NetHeader header) ? Deliver(ring, header, backing.Frame) : Outcome.Undeliverable;
        switch (outcome)
        {
            case Outcome.TooFewBuffers:
                return ring.EnableKicks((ushort)_usedCount); // it came back without a gap: the frame waits for more than these
            case Outcome.QueueFault:
                return true; // the frame may go to another
            case Outcome.Undeliverable:
                drops.Count(NetDrop.NotReceivable);
                break;
            default:
                rate.Take(length);
                break;
        }

        backing.Next();
        return true;
    }

    // Anew at each try: what the driver has chosen may have changed while the frame waited.
    private int Steer(NetQueues queues)
    {
        if (queues.InUse == 1)
        {
            return 0;
        }

        int pair = flows.PairOf(FlowHash.Of(backing.Frame), queues.InUse);
        return queues.CanReceive(pair) ? pair : 0;
    }

    // The host gives what it was told that somebody takes; this driver may take less.
    private bool TryAdapt(out NetHeader header)
    {
        header = backing.Header;
        NetSegmentation kind = header.Segmentation & ~NetSegmentation.Ecn;
        if (kind != NetSegmentation.None)
        {
            return kind is NetSegmentation.Tcp4 or NetSegmentation.Tcp6 && NetFeatureBits.AllowsGuestTso(Features, kind == NetSegmentation.Tcp6)
                && ((header.Segmentation & NetSegmentation.Ecn) == 0 || (Features & NetFeatureBits.GuestEcn) != 0);
        }

        header = header with { Segmentation = NetSegmentation.None }; // ECN of no segment: nothing, and the driver may not have taken it
        if ((Features & NetFeatureBits.GuestChecksum) != 0)
        {
            return true;
        }

        bool incomplete = (header.Flags & NetHeaderFlags.NeedsChecksum) != 0;
        int start = header.ChecksumStart;
        int offset = header.ChecksumOffset;
        header = default;
        if (incomplete)
        {
            if (!InternetChecksum.TryComplete(backing.Frame, start, offset))
            {
                return false;
            }

            backing.ChecksumCompleted(); // the frame may have to wait and be tried again: a sum over its own result is another one
        }

        return true;
    }

    private Outcome Deliver(SplitVirtqueue ring, in NetHeader header, ReadOnlySpan<byte> frame)
    {
        bool mergeable = (Features & NetFeatureBits.MergeableBuffers) != 0;
        _usedCount = 0;
        _headerRoom.Clear();
        ReadOnlySpan<byte> rest = frame;
        do
        {
            if (_usedCount == ring.Size || (_usedCount == 1 && !mergeable))
            {
                Return(ring);
                return Outcome.Undeliverable; // the driver has no more than this to give
            }

            if (!ring.TryPop(_chain))
            {
                Return(ring);
                return ring.Fault == VirtqueueFault.None ? Outcome.TooFewBuffers : Outcome.QueueFault;
            }

            GuestVector room = _chain.Writable;
            bool first = _usedCount == 0;
            if (first ? !room.TryMoveTo(_headerRoom, NetHeader.SizeBytes) : room.IsEmpty)
            {
                ring.PutBack(_chain);
                Return(ring);
                ring.Fail(VirtqueueFault.RequestUnanswerable); // §5.1.6.3.1: each buffer holds a header at least
                return Outcome.QueueFault;
            }

            int count = (int)Math.Min(room.LengthBytes, (ulong)rest.Length);
            _ = room.TryPut(rest[..count]);
            rest = rest[count..];
            _used[_usedCount++] = new UsedChain(_chain.HeadIndex, (uint)count + (first ? NetHeader.SizeBytes : 0u));
        }
        while (!rest.IsEmpty);

        (header with { BufferCount = (ushort)_usedCount }).Encode(_header);
        _ = _headerRoom.TryPut(_header); // exactly its size
        ring.CompleteAll(_used.AsSpan(0, _usedCount));
        return Outcome.Delivered;
    }

    // The last one first: each goes back to where it came from.
    private void Return(SplitVirtqueue ring)
    {
        for (int index = _usedCount - 1; index >= 0; index--)
        {
            ring.PutBack(_used[index].HeadIndex);
        }
    }
}
