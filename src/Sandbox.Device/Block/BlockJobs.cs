using System.Diagnostics.CodeAnalysis;
using Sandbox.Virtio;
using Sandbox.Virtio.Block;

namespace Sandbox.Device.Block;

/// <summary>
/// The requests in work. What is in memory is done at once by the main thread; what waits for the medium goes to a worker, and other requests
/// go on. Without workers everything is done at once, one request at a time. The main thread only.
/// </summary>
internal sealed class BlockJobs
{
    /// <summary>With workers. More than there are workers: what is in memory passes by those that wait. A driver that means ill costs 32 KiB with each.</summary>
    public const int MostJobs = 12;

    // A driver may ask for gigabytes in one request after the other; whoever takes a ring away waits for this many, and one request, at most.
    private const ulong MostBytes = 64 * 1024 * 1024;

    // For so many requests is it remembered that somebody had to wait for another.
    private const int CompanyMemory = 64;

    // What is longer is never waited for by the main thread.
    private const ulong MostBytesHere = 128 * 1024;

    // So many waits for the medium of a turn: a driver that offers one request after each answer must not keep the frontend's messages waiting.
    private const int MostWaitsHere = 8;

    private readonly BlockBacking _backing;
    private readonly BlockWorkers? _workers;
    private readonly Func<bool> _othersWait;
    private readonly BlockSyncs _syncs = new();
    private readonly BounceBuffer[] _bounces = [];
    private readonly BlockJob[] _all;
    private readonly BlockJob[] _free;
    private readonly BlockJob?[] _working = [];
    private readonly Queue<BlockJob> _queued;
    private int _freeCount;
    private int _company;
    private int _waitedHere;
    private bool _syncing;
    private ulong _bytes;

    /// <param name="backing">The file.</param>
    /// <param name="workers">What waits for it; null: the main thread alone.</param>
    /// <param name="othersWait">A ring has another request.</param>
    public BlockJobs(BlockBacking backing, BlockWorkers? workers, Func<bool> othersWait)
    {
        _backing = backing;
        _workers = workers;
        _othersWait = othersWait;
        _all = new BlockJob[workers is null ? 1 : MostJobs];
        _free = new BlockJob[_all.Length];
        _queued = new Queue<BlockJob>(_all.Length + 1);
        _working = new BlockJob?[workers?.Count ?? 0];
        DescriptorChain[] chains = DescriptorChain.CreateMany(_all.Length);
        for (int index = 0; index < _all.Length; index++)
        {
            _all[index] = new BlockJob(backing, chains[index]);
            _free[_freeCount++] = _all[index];
        }

        if (backing.IsDirect)
        {
            _bounces = new BounceBuffer[1 + (workers?.Count ?? 0)]; // the first is the main thread's
            for (int index = 0; index < _bounces.Length; index++)
            {
                _bounces[index] = new BounceBuffer();
            }
        }
    }

    /// <summary>Nothing is in work.</summary>
    public bool IsIdle => _freeCount == _all.Length;

    /// <summary>One for the next request; null when as much is in work as may be. It stays the next until it begins.</summary>
    public BlockJob? Next => _freeCount == 0 || _bytes >= MostBytes ? null : _free[_freeCount - 1];

    /// <summary>Takes <see cref="Next"/> for a request.</summary>
    public void Begin(BlockJob job, int queue, in BlockRequest request, ulong bytes, bool mustSync)
    {
        _freeCount--;
        _bytes += bytes;
        job.Begin(queue, request, bytes, mustSync);
        job.FailuresBefore = _syncs.Failures;
        job.ChangesBefore = _syncs.AnsweredChanges;
    }

    /// <summary>Works on a request that has begun. True: it can be answered.</summary>
    public bool TryDo(BlockJob job)
    {
        switch (job.Request.Operation)
        {
            case BlockOperation.Flush:
                AwaitSync(job);
                break;
            case BlockOperation.Write when !_backing.IsDirect:
                // Into the page cache: memory. Where the host makes writers wait because it has too much to write (balance_dirty_pages), it
                // means this process, whichever thread it finds; the others of the disk wait with it, as they would for a slow disk.
                job.Run();
                Moved(job);
                break;
            case BlockOperation.Read when _workers is not null && _backing.TryReadAtOnce(job):
                job.Phase = BlockPhase.Finished;
                break;
            default:
                job.Phase = BlockPhase.Queued;
                if (MayWaitHere(job))
                {
                    RunHere(job);
                    _company = _othersWait() ? CompanyMemory : 0;
                }
                else
                {
                    Enqueue(job);
                }

                break;
        }

        return job.Phase == BlockPhase.Finished;
    }

    /// <summary>The main thread has looked at its messages and begins to serve.</summary>
    public void BeginTurn() => _waitedHere = 0;

    /// <summary>It has waited for the medium so often that its messages come first.</summary>
    public bool HasWaitedHere => _waitedHere >= MostWaitsHere;

    /// <summary>An answered request makes room for another.</summary>
    public void End(BlockJob job)
    {
        if (job.Changes && !job.MustSync)
        {
            _syncs.AnswerChange(job.FailuresBefore != _syncs.Failures);
        }

        _bytes -= job.Bytes;
        job.Clear();
        _free[_freeCount++] = job;
    }

    /// <summary>The next request that workers have finished; each must be ended.</summary>
    public bool TryTakeFinished([NotNullWhen(true)] out BlockJob? finished)
    {
        finished = null;
        if (IsIdle)
        {
            return false;
        }

        Collect();
        foreach (BlockJob job in _all)
        {
            if (job.Phase == BlockPhase.Finished)
            {
                finished = job;
                return true;
            }
        }

        return false;
    }

    /// <summary>A request of this queue is in work: its buffers and its ring must stay.</summary>
    public bool Has(int queue)
    {
        foreach (BlockJob job in _all)
        {
            if (job.Phase != BlockPhase.Free && job.Queue == queue)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Waits for a worker; only while some request is in work.</summary>
    public void Await() => _workers!.AwaitSignal();

    /// <summary>Everything answered so far is on the medium, or a failure is owed. Nothing is in work.</summary>
    public void FlushNow()
    {
        if (_syncs.IsAllSafe)
        {
            return; // a driver that chooses it again and again, which no rate counts, is no work for the medium
        }

        _syncs.Begin();
        _ = _syncs.End(_backing.Flush(), told: -1);
    }

    /// <summary>The driver was promised something that is lost and has not been told.</summary>
    public bool OwesFailure => _syncs.OwesFailure;

    /// <summary>A predecessor may have answered changes that it did not synchronize.</summary>
    /// <param name="owesFailure">It owed a failure when it died.</param>
    public void TakenOver(bool owesFailure) => _syncs.AnswerChange(owesFailure);

    private void Collect()
    {
        for (int worker = 0; worker < _working.Length; worker++)
        {
            if (_working[worker] is { IsDone: true } job)
            {
                _working[worker] = null;
                _workers!.Return(worker);
                Ran(job);
            }
        }

        while (_queued.Count != 0 && _workers!.HasIdle)
        {
            Give(_queued.Dequeue());
        }
    }

    private void Enqueue(BlockJob job)
    {
        if (_workers is null)
        {
            RunHere(job);
        }
        else if (_workers.HasIdle)
        {
            Give(job);
        }
        else
        {
            _queued.Enqueue(job);
        }
    }

    private void RunHere(BlockJob job)
    {
        _waitedHere += _workers is null ? 0 : 1;
        job.Bounce = _bounces.Length == 0 ? null : _bounces[0];
        Start(job);
        job.Run();
        Ran(job);
    }

    // A driver that has one request at a time gains nothing from a worker and would pay for waking it and being woken. As soon as one request
    // had to wait for another, the workers have them all, until none had company for a while.
    private bool MayWaitHere(BlockJob job)
    {
        if (_workers is null)
        {
            return true;
        }

        bool isShort = job.Bytes <= MostBytesHere && job.Request.Operation is BlockOperation.Read or BlockOperation.Write;
        if (_freeCount != _all.Length - 1 || (isShort && _othersWait()))
        {
            _company = CompanyMemory;
            return false;
        }

        _company -= _company == 0 ? 0 : 1;
        return isShort && _company == 0;
    }

    private void Give(BlockJob job)
    {
        Start(job);
        job.BeginRun();
        int worker = _workers!.Take();
        job.Bounce = _bounces.Length == 0 ? null : _bounces[1 + worker];
        _working[worker] = job;
        _workers.Give(worker, job);
    }

    // Those who wait now are who the synchronization is for: all they wrote was written before it begins.
    private void Start(BlockJob job)
    {
        if (job.Phase == BlockPhase.Queued)
        {
            job.Phase = BlockPhase.Moving;
            return;
        }

        foreach (BlockJob waiting in _all)
        {
            if (waiting.Phase == BlockPhase.AwaitingSync)
            {
                waiting.Phase = BlockPhase.InSync;
            }
        }

        job.Phase = BlockPhase.Syncing;
        _syncs.Begin();
    }

    private void Ran(BlockJob job)
    {
        if (job.Phase == BlockPhase.Syncing)
        {
            Synced(job);
        }
        else
        {
            Moved(job);
        }
    }

    private void Moved(BlockJob job)
    {
        if (job.MustSync && job.Status == BlockStatus.Ok)
        {
            AwaitSync(job);
        }
        else
        {
            job.Phase = BlockPhase.Finished;
        }
    }

    private void AwaitSync(BlockJob job)
    {
        job.Phase = BlockPhase.AwaitingSync;
        if (!_syncing)
        {
            _syncing = true;
            Enqueue(job);
        }
    }

    private void Synced(BlockJob leader)
    {
        bool owes = _syncs.End(leader.Status, ToldChanges());
        _syncing = false;
        BlockStatus said = leader.Status;
        BlockJob? next = null;
        foreach (BlockJob job in _all)
        {
            if (job.Phase is BlockPhase.InSync or BlockPhase.Syncing)
            {
                bool fails = job.FailuresBefore != _syncs.Failures || owes;
                job.Status = said != BlockStatus.Ok ? said : fails ? BlockStatus.IoError : BlockStatus.Ok;
                job.Phase = BlockPhase.Finished;
            }
            else if (job.Phase == BlockPhase.AwaitingSync)
            {
                next ??= job;
            }
        }

        if (next is not null)
        {
            _syncing = true;
            Enqueue(next);
        }
    }

    // What those that are told now speak for: a write that must be on the medium is a promise about those before it, like a flush.
    private long ToldChanges()
    {
        long told = -1;
        foreach (BlockJob job in _all)
        {
            if (job.Phase is BlockPhase.InSync or BlockPhase.Syncing)
            {
                told = Math.Max(told, job.ChangesBefore);
            }
        }

        return told;
    }
}
