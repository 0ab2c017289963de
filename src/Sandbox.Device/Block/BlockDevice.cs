using System.Text;
using Sandbox.Virtio;
using Sandbox.Virtio.Block;

namespace Sandbox.Device.Block;

/// <summary>
/// virtio-blk (virtio 1.2 §5.2) on a raw file: one request at a time, no copy between file and guest pages. Several queues spare a driver its
/// locks; one thread serves them in turn.
/// </summary>
internal sealed class BlockDevice : VirtioDevice
{
    private const int RequestsPerTurn = 128;

    // A driver may ask for gigabytes in one request after the other; the frontend, who wants its answers, waits for this many at most.
    private const ulong BytesPerTurn = 64 * 1024 * 1024;

    // How often a turn goes round its queues again because their driver has gone on meanwhile.
    private const int RoundsPerTurn = 16;

    private readonly DescriptorChain _chain = new();
    private readonly BlockRate? _rate;
    private readonly KickPoll _poll;
    private readonly BlockBacking _backing;
    private readonly byte[] _configSpace = new byte[BlockConfigSpace.SizeBytes];
    private readonly byte[] _id = new byte[BlockRequest.IdBytes];
    private readonly byte[] _status = new byte[1];
    private readonly ulong _capacityBytes;
    private readonly bool _readOnly;
    private BlockGeometry _disk;
    private int _firstQueue;
    private int _waitMilliseconds = -1;

    /// <param name="fd">The image, inherited: read-write, or read-only with <paramref name="readOnly"/>. It is raw, always.</param>
    /// <param name="capacityBytes">A multiple of 512.</param>
    /// <param name="readOnly">Offer VIRTIO_BLK_F_RO.</param>
    /// <param name="serialId">At most 20 bytes of ASCII.</param>
    /// <param name="queueCount">1 or more.</param>
    /// <param name="direct">The fd is open past the page cache: the driver is shown the blocks that this demands.</param>
    /// <param name="rate">What bounds it; null for nothing.</param>
    /// <param name="poll">Makes what looks for the next request before the device sleeps; null: it sleeps at once.</param>
    public BlockDevice(
        int fd, ulong capacityBytes, bool readOnly, string serialId, int queueCount = 1, bool direct = false, BlockRate? rate = null,
        Func<DeviceQueue[], KickPoll>? poll = null)
        : base(queueCount)
    {
        _poll = poll is null ? new KickPoll(rounds: 0) : poll(Queues);
        _rate = rate;
        _capacityBytes = capacityBytes;
        _readOnly = readOnly;
        _backing = new BlockBacking(fd, direct);
        BlockConfigSpace.Write(_configSpace, capacityBytes, queueCount, direct ? BounceBuffer.Alignment : BlockGeometry.SectorBytes);
        Encoding.ASCII.GetBytes(serialId, _id);
        _disk = new BlockGeometry(capacityBytes, readOnly, 0);
        _backing.SyncEveryWrite = true; // until a driver has said that it flushes
    }

    public override ulong OfferedFeatures =>
        VirtioFeatureBits.Version1 | VirtioFeatureBits.RingIndirectDescriptors | VirtioFeatureBits.RingEventIndex
        | BlockFeatureBits.SegmentMax | BlockFeatureBits.BlockSize | BlockFeatureBits.Topology | BlockFeatureBits.Flush
        | (Queues.Length > 1 ? BlockFeatureBits.MultiQueue : 0)
        | (_readOnly ? BlockFeatureBits.ReadOnly : BlockFeatureBits.Discard | BlockFeatureBits.WriteZeroes | BlockFeatureBits.ConfigWriteback);

    // A request names its sectors and its buffers are the device's until it is answered: done again, it comes to the same.
    public override bool CanReplay => true;

    public override ReadOnlySpan<byte> ConfigSpace => _configSpace;

    public override int WaitMilliseconds => _waitMilliseconds;

    public override void FeaturesAgreed(ulong features)
    {
        _disk = new BlockGeometry(_capacityBytes, _readOnly, features);
        // A driver that does not flush takes the disk for write-through (§5.2.5.2). One that may choose begins with write-back.
        SetWriteback((features & BlockFeatureBits.Flush) != 0);
    }

    /// <summary>
    /// The driver may have chosen write-through in the predecessor's time, and not every frontend says so again: until one does, every write
    /// is on the medium before it is answered. That is right for either choice.
    /// </summary>
    public override void TakenOver()
    {
        if ((_disk.Features & BlockFeatureBits.ConfigWriteback) != 0)
        {
            SetWriteback(false);
        }
    }

    public override bool TryWriteConfig(uint offset, ReadOnlySpan<byte> bytes)
    {
        if (offset != BlockConfigSpace.WritebackOffset || bytes.Length != 1 || bytes[0] > 1 || (_disk.Features & BlockFeatureBits.ConfigWriteback) == 0)
        {
            return false;
        }

        SetWriteback(bytes[0] == 1);
        // "Write-through" is a promise about what was answered, so what was answered before is made good too.
        return bytes[0] == 1 || _backing.Flush() == BlockStatus.Ok;
    }

    public override bool Work()
    {
        ulong moved = 0;
        _waitMilliseconds = -1;
        int rounds = 0;
        do
        {
            for (int count = 0; count < Queues.Length; count++)
            {
                Work(Queues[(_firstQueue + count) % Queues.Length], ref moved);
            }

            // Each goes first in its turn: where a turn or a rate lets few requests go, a busy queue would else keep them all.
            _firstQueue = (_firstQueue + 1) % Queues.Length;
        }
        while (++rounds < RoundsPerTurn && moved < BytesPerTurn && _waitMilliseconds < 0 && _poll.Await(Queues));
        return Rest();
    }

    private void Work(DeviceQueue queue, ref ulong moved)
    {
        queue.Ring.SuppressKicks();
        for (int done = 0; done < RequestsPerTurn && moved < BytesPerTurn && !MustWait(queue.Ring) && queue.Ring.TryPop(_chain); done++)
        {
            moved += _chain.Readable.LengthBytes + _chain.Writable.LengthBytes;
            Serve(queue.Ring);
        }

        _chain.Clear();
        queue.Notify();
    }

    // True when there is more to do at once. What waits for its rate is looked at again without a kick.
    private bool Rest()
    {
        bool more = false;
        foreach (DeviceQueue queue in Queues)
        {
            bool waits = _waitMilliseconds >= 0 && queue.Ring.HasAvailable;
            more |= !waits && queue.Ring.EnableKicks();
        }

        return more;
    }

    private bool MustWait(SplitVirtqueue ring)
    {
        if (_rate is null || !ring.HasAvailable || _rate.MayGo())
        {
            return false;
        }

        _waitMilliseconds = _rate.WaitMilliseconds;
        return true;
    }

    private void SetWriteback(bool on)
    {
        _configSpace[BlockConfigSpace.WritebackOffset] = on ? (byte)1 : (byte)0;
        _backing.SyncEveryWrite = !on;
    }

    private void Serve(SplitVirtqueue ring)
    {
        if (!BlockRequest.TryParse(_chain, _disk, out BlockRequest request))
        {
            ring.Fail(VirtqueueFault.RequestUnanswerable);
            return;
        }

        uint written = 0;
        ulong filled = request.Operation == BlockOperation.Write ? _chain.Readable.LengthBytes : 0;
        BlockStatus status = request.Operation switch
        {
            BlockOperation.Read => _backing.Read(_chain.Writable, request.OffsetBytes, out written),
            BlockOperation.Write => _backing.Write(_chain.Readable, request.OffsetBytes),
            BlockOperation.Flush => _backing.Flush(),
            BlockOperation.GetId => GetId(out written),
            BlockOperation.Discard or BlockOperation.WriteZeroes => _backing.Clear(_chain.Readable, request.Operation, _disk, out filled),
            _ => request.Status,
        };
        _rate?.Take(filled + (request.Operation == BlockOperation.Read ? written : 0));
        _status[0] = (byte)status;
        request.StatusByte.CopyFrom(0, _status);
        ring.Complete(_chain.HeadIndex, written + 1);
    }

    private BlockStatus GetId(out uint written)
    {
        written = BlockRequest.IdBytes;
        return _chain.Writable.TryPut(_id) ? BlockStatus.Ok : BlockStatus.IoError;
    }
}
