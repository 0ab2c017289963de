using System.Text;
using Sandbox.Control.Launch;
using Sandbox.Virtio;
using Sandbox.Virtio.Block;

namespace Sandbox.Device.Block;

/// <summary>
/// virtio-blk (virtio 1.2 §5.2) on a raw file, without a copy between file and guest pages. The main thread serves the rings in turn (several
/// queues spare a driver its locks) and answers what is in memory; requests that wait for the medium wait in other threads, many at once, and
/// are answered in the order in which they end. The specification orders nothing but this: a flush covers what was answered before it came.
/// </summary>
internal sealed class BlockDevice : VirtioDevice
{
    private const int RequestsPerTurn = 128;

    // A driver may ask for gigabytes in one request after the other; the frontend, who wants its answers, waits for this many at most.
    private const ulong BytesPerTurn = 64 * 1024 * 1024;

    // How often a turn goes round its queues again because their driver has gone on meanwhile.
    private const int RoundsPerTurn = 16;

    private readonly BlockRate? _rate;
    private readonly KickPoll _poll;
    private readonly BlockJobs _jobs;
    private readonly byte[] _configSpace = new byte[BlockConfigSpace.SizeBytes];
    private readonly byte[] _id = new byte[BlockRequest.IdBytes];
    private readonly byte[] _status = new byte[1];
    private readonly ulong _capacityBytes;
    private readonly bool _readOnly;
    private BlockGeometry _disk;
    private int _firstQueue;
    private int _waitMilliseconds = -1;
    private bool _syncEveryWrite = true; // until a driver has said that it flushes

    /// <param name="fd">The image, inherited: read-write, or read-only with <paramref name="readOnly"/>. It is raw, always.</param>
    /// <param name="capacityBytes">A multiple of 512.</param>
    /// <param name="readOnly">Offer VIRTIO_BLK_F_RO.</param>
    /// <param name="serialId">At most 20 bytes of ASCII.</param>
    /// <param name="queueCount">1 or more.</param>
    /// <param name="direct">The fd is open past the page cache: the driver is shown the blocks that this demands.</param>
    /// <param name="rate">What bounds it; null for nothing.</param>
    /// <param name="workers">What waits for the medium; null: the caller's thread, one request at a time.</param>
    /// <param name="poll">Makes what looks for the next request before the device sleeps; null: it sleeps at once.</param>
    public BlockDevice(
        int fd, ulong capacityBytes, bool readOnly, string serialId, int queueCount = 1, bool direct = false, BlockRate? rate = null, BlockWorkers? workers = null,
        Func<DeviceQueue[], KickPoll>? poll = null)
        : base(queueCount)
    {
        _poll = poll is null ? new KickPoll(rounds: 0) : poll(Queues);
        _rate = rate;
        _capacityBytes = capacityBytes;
        _readOnly = readOnly;
        _jobs = new BlockJobs(new BlockBacking(fd, direct), workers, () => DeviceQueue.HaveAvailable(Queues));
        BlockConfigSpace.Write(_configSpace, capacityBytes, queueCount, direct ? BounceBuffer.Alignment : BlockGeometry.SectorBytes);
        Encoding.ASCII.GetBytes(serialId, _id);
        _disk = new BlockGeometry(capacityBytes, readOnly, 0);
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

    /// <summary>The disk of a process, with the workers that were made for it.</summary>
    public static BlockDevice Create(DeviceLaunchSpec spec, int fd, BackingWatch watch, BlockWorkers? workers)
    {
        if (workers is not null)
        {
            watch.AddSignals(0, workers.ToldFd);
        }

        return new BlockDevice(
            fd, (ulong)spec.CapacityBytes, spec.ReadOnly, spec.SerialId, spec.QueueCount, spec.Direct, BlockRate.Of(spec), workers, static queues => KickPoll.Measured(queues));
    }

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
        _jobs.TakenOver(owesFailure: false); // that, a record says
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

        // What is in work ends under the promise that it came under.
        for (int index = 0; index < Queues.Length; index++)
        {
            QueueStopping(index);
        }

        SetWriteback(bytes[0] == 1);
        // "Write-through" is a promise about what was answered, so what was answered before is made good too. A driver cannot be refused its choice:
        // where the medium fails, its next write does.
        if (bytes[0] == 0)
        {
            _jobs.FlushNow();
            KeepLoss();
        }

        return true;
    }

    /// <summary>Of a predecessor that died owing a failure, the record says so: the kernel has told it, and tells nobody again.</summary>
    public override void QueueStarted(int index)
    {
        if (Queues[index].Record.TellsLoss && !_jobs.OwesFailure)
        {
            _jobs.TakenOver(owesFailure: true);
        }

        KeepLoss();
    }

    public override void QueueStopping(int index)
    {
        AnswerFinished();
        while (_jobs.Has(index))
        {
            _jobs.Await();
            AnswerFinished();
        }

        Queues[index].Notify(); // while the ring can tell whether the driver wants to know
    }

    public override bool Work()
    {
        ulong moved = 0;
        _waitMilliseconds = -1;
        _jobs.BeginTurn();
        int rounds = 0;
        do
        {
            AnswerFinished();
            KeepLoss();
            for (int count = 0; count < Queues.Length; count++)
            {
                Work((_firstQueue + count) % Queues.Length, ref moved);
            }

            // Each goes first in its turn: where a turn, a rate or the requests in work let few go, a busy queue would else keep them all.
            _firstQueue = (_firstQueue + 1) % Queues.Length;
        }
        while (++rounds < RoundsPerTurn && moved < BytesPerTurn && _waitMilliseconds < 0 && !_jobs.HasWaitedHere && _jobs.IsIdle && _poll.Await(Queues));
        return Rest();
    }

    private void Work(int index, ref ulong moved)
    {
        DeviceQueue queue = Queues[index];
        queue.Ring.SuppressKicks();
        for (int done = 0; done < RequestsPerTurn && moved < BytesPerTurn && !_jobs.HasWaitedHere && _jobs.Next is { } job && !MustWait(queue.Ring); done++)
        {
            if (!queue.Ring.TryPop(job.Chain))
            {
                job.Chain.Clear(); // a chain that broke the ring left its beginning
                break;
            }

            moved += Serve(index, job);
        }

        queue.Notify();
    }

    // True when there is more to do at once. What waits for its rate is looked at again without a kick, and so are all rings when as much is in
    // work as may be: its end wakes the loop.
    private bool Rest()
    {
        if (_jobs.Next is null)
        {
            return false;
        }

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
        _syncEveryWrite = !on;
    }

    // Returns the bytes of its buffers, and those that it fills with zeroes.
    private ulong Serve(int queue, BlockJob job)
    {
        ulong bytes = job.Chain.Readable.LengthBytes + job.Chain.Writable.LengthBytes;
        if (!BlockRequest.TryParse(job.Chain, _disk, out BlockRequest request))
        {
            job.Chain.Clear();
            Queues[queue].Ring.Fail(VirtqueueFault.RequestUnanswerable);
            return bytes;
        }

        _jobs.Begin(job, queue, request, bytes, _syncEveryWrite);
        ulong counted = 0;
        bool ended = true;
        switch (request.Operation)
        {
            case BlockOperation.Answer:
                break;
            case BlockOperation.GetId:
                job.Written = BlockRequest.IdBytes;
                job.Status = job.Chain.Writable.TryPut(_id) ? BlockStatus.Ok : BlockStatus.IoError;
                break;
            case BlockOperation.Discard or BlockOperation.WriteZeroes when !job.TryTakeRanges(_disk, out counted):
                break;
            case BlockOperation.Read or BlockOperation.Write:
                counted = job.Chain.Readable.LengthBytes + job.Chain.Writable.LengthBytes;
                ended = _jobs.TryDo(job);
                break;
            default:
                ended = _jobs.TryDo(job);
                break;
        }

        // Once, when it goes: one that is in work while others ask whether they may has been counted.
        _rate?.Take(counted);
        if (ended)
        {
            Answer(job);
        }

        return bytes + (request.Operation is BlockOperation.Discard or BlockOperation.WriteZeroes ? counted : 0);
    }

    private void AnswerFinished()
    {
        while (_jobs.TryTakeFinished(out BlockJob? job))
        {
            Answer(job);
        }
    }

    // In the records of all rings that run, so that whatever happens to this process the driver is told. Where nothing is lost this writes nothing.
    private void KeepLoss()
    {
        foreach (DeviceQueue queue in Queues)
        {
            if (queue.Ring.IsConfigured && queue.Record.TellsLoss != _jobs.OwesFailure)
            {
                queue.Record.TellsLoss = _jobs.OwesFailure;
            }
        }
    }

    private void Answer(BlockJob job)
    {
        if (_jobs.OwesFailure)
        {
            KeepLoss(); // before anything is answered; struck out in the next turn, after the answer that tells it
        }

        _status[0] = (byte)job.Status;
        job.Request.StatusByte.CopyFrom(0, _status);
        Queues[job.Queue].Ring.Complete(job.Chain.HeadIndex, job.Written + 1);
        _jobs.End(job);
    }
}
