using Sandbox.Memory;
using Sandbox.Virtio;
using Sandbox.Virtio.Block;

namespace Sandbox.Device.Block;

/// <summary>
/// One request from the moment it is taken off its ring until it is answered. It belongs to the main thread, but between
/// <see cref="BlockWorkers.Give"/> and <see cref="IsDone"/> to one worker: whoever it belongs to, nobody else touches it or the
/// guest's buffers that it names. Made once and used again and again; nothing is allocated for a request.
/// </summary>
internal sealed class BlockJob(BlockBacking backing, DescriptorChain chain)
{
    private readonly BlockRange[] _ranges = new BlockRange[BlockRequest.MaxRanges];
    private int _rangeCount;
    private bool _done;

    /// <summary>The request's buffers: what is left of them.</summary>
    public DescriptorChain Chain => chain;

    public BlockRequest Request { get; private set; }

    /// <summary>The queue that it came from.</summary>
    public int Queue { get; private set; }

    /// <summary>Bytes of its buffers when it was taken: what bounds the bytes in work.</summary>
    public ulong Bytes { get; private set; }

    /// <summary>What it changes must be on the medium before it is answered. As the driver wished when the request came.</summary>
    public bool MustSync { get; private set; }

    /// <summary>Failed synchronizations before it began (<see cref="BlockSyncs"/>).</summary>
    public long FailuresBefore { get; set; }

    /// <summary>Changes answered without a synchronization before it began: those that a flush speaks for.</summary>
    public long ChangesBefore { get; set; }

    public BlockPhase Phase { get; set; }

    /// <summary>For a file past the page cache, of the thread that works on it.</summary>
    public BounceBuffer? Bounce { get; set; }

    /// <summary>How it went so far.</summary>
    public BlockStatus Status { get; set; }

    /// <summary>Bytes written into the guest's buffers, without the status byte.</summary>
    public uint Written { get; set; }

    /// <summary>It changes the file.</summary>
    public bool Changes => Request.Operation is BlockOperation.Write or BlockOperation.Discard or BlockOperation.WriteZeroes;

    /// <summary>The runs of a discard or write-zeroes, each copied once and checked.</summary>
    public ReadOnlySpan<BlockRange> Ranges => _ranges.AsSpan(0, _rangeCount);

    /// <summary>
    /// The main thread asks whether a worker is finished. Acquire: what the worker wrote before (status, count, buffers) is seen after. The
    /// eventfds order it too, as every system call that takes a lock does, but the memory model of the language knows nothing of them.
    /// </summary>
    public bool IsDone => Volatile.Read(ref _done);

    public void Begin(int queue, in BlockRequest request, ulong bytes, bool mustSync)
    {
        Queue = queue;
        Request = request;
        Bytes = bytes;
        Status = request.Status;
        Written = 0;
        MustSync = mustSync && Changes;
        _rangeCount = 0;
        _done = false;
    }

    /// <summary>Copies and checks the list of a discard or write-zeroes. A list with a bad run changes nothing.</summary>
    /// <param name="disk">What the runs must lie in.</param>
    /// <param name="zeroedBytes">What may be written: a hole is none.</param>
    public bool TryTakeRanges(in BlockGeometry disk, out ulong zeroedBytes)
    {
        zeroedBytes = 0;
        int count = 0;
        while (!Chain.Readable.IsEmpty)
        {
            // BlockRequest has held the list to MaxRanges.
            Status = BlockRange.Take(Chain.Readable, Request.Operation, disk, out BlockRange range);
            if (Status != BlockStatus.Ok)
            {
                zeroedBytes = 0;
                return false;
            }

            _ranges[count++] = range;
            zeroedBytes += BlockBacking.Punches(Request.Operation, range) ? 0 : range.LengthBytes;
        }

        _rangeCount = count;
        return true;
    }

    /// <summary>Does what the phase demands, however long it takes.</summary>
    public void Run() => Status = Phase == BlockPhase.Syncing ? backing.Flush() : Request.Operation switch
    {
        BlockOperation.Read => backing.Read(this),
        BlockOperation.Write => backing.Write(this),
        _ => backing.Clear(this),
    };

    /// <summary>A worker's last word on it. Release: everything it wrote comes before.</summary>
    public void EndRun() => Volatile.Write(ref _done, true);

    /// <summary>The main thread: it is about to be run, again.</summary>
    public void BeginRun() => _done = false;

    /// <summary>Answered: lets go of the guest's buffers.</summary>
    public void Clear()
    {
        Chain.Clear();
        Request = default;
        Phase = BlockPhase.Free;
    }
}
