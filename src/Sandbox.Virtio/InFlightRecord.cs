using Sandbox.Memory;

namespace Sandbox.Virtio;

/// <summary>
/// A queue's record of the chains being worked on, in memory that outlives this process (vhost-user, "Inflight I/O tracking", split
/// virtqueue): a successor finds in it what has to be done again. It lies with whoever keeps it, so what is read is checked. Allocates in
/// its constructor only; one thread uses it.
/// </summary>
/// <remarks>
/// The order of the writes is the protocol's: a process may be killed between any two of them. A chain is recorded before it is looked at;
/// it is named as the last batch before the used index moves, and struck out after. So a chain whose used index has moved is never done
/// again, and one whose index has not is never lost.
/// </remarks>
public sealed class InFlightRecord
{
    private const uint HeaderBytes = 16;
    private const uint EntryBytes = 16;

    // struct QueueRegionSplit: u64 features, then these. Of the features the protocol uses none and nobody but a backend reads them.
    private const uint FeaturesOffset = 0;
    private const uint LossBit = 1;
    private const uint VersionOffset = 8;
    private const uint SizeOffset = 10;
    private const uint LastBatchHeadOffset = 12;
    private const uint UsedIndexOffset = 14;

    // struct DescStateSplit: u8 inflight, u8 padding[5], u16 next, u64 counter. Flag and padding are written as one word.
    private const uint NextOffset = 6;
    private const uint CounterOffset = 8;

    private readonly ushort[] _heads = new ushort[SplitVirtqueue.MaxSize];
    private readonly ulong[] _counters = new ulong[SplitVirtqueue.MaxSize];
    private GuestSlice _region;
    private int _replayCount;
    private int _replayNext;
    private ulong _counter;

    /// <summary>There is a record: without one a queue starts where the frontend says.</summary>
    public bool IsAttached => _region.LengthBytes != 0;

    /// <summary>A word of the device's for its successor, a bit of the record's own: what was answered may be lost, and the driver has not been told.</summary>
    public bool TellsLoss
    {
        get => IsAttached && (_region.ReadUInt32Acquire(FeaturesOffset) & LossBit) != 0;
        set
        {
            if (IsAttached)
            {
                _region.WriteUInt32Release(FeaturesOffset, value ? LossBit : 0);
            }
        }
    }

    /// <summary>The record was begun before the queue was set up here.</summary>
    internal bool HasPredecessor { get; private set; }

    /// <summary>A chain of the predecessor is still to be done.</summary>
    internal bool HasReplay => _replayNext < _replayCount;

    /// <summary>A queue has been served with this region.</summary>
    public static bool IsBegun(GuestSlice region) => region.LengthBytes >= HeaderBytes && region.ReadUInt16Acquire(VersionOffset) != 0;

    /// <summary>Uses a region, or with an empty slice none. The queue must be stopped.</summary>
    public void Attach(GuestSlice region)
    {
        _region = region;
        _replayCount = 0;
        _replayNext = 0;
    }

    /// <summary>
    /// Takes over a queue of <paramref name="size"/> entries whose used index stands at <paramref name="usedIndex"/>. A record that was never
    /// used is begun; else what is in flight waits to be replayed, and <paramref name="nextAvailable"/> is where the predecessor stood.
    /// </summary>
    internal VirtqueueFault Recover(uint size, ushort usedIndex, ref ushort nextAvailable)
    {
        _replayCount = 0;
        _replayNext = 0;
        if (_region.LengthBytes < HeaderBytes + (EntryBytes * size))
        {
            return VirtqueueFault.RecordInvalid;
        }

        ushort version = _region.ReadUInt16Acquire(VersionOffset);
        HasPredecessor = version != 0;
        if (version == 0)
        {
            Begin(size, usedIndex);
            return VirtqueueFault.None;
        }

        if (version != 1 || _region.ReadUInt16Acquire(SizeOffset) != size || !TryStrikeLastBatch(size, usedIndex))
        {
            return VirtqueueFault.RecordInvalid;
        }

        Collect(size);
        nextAvailable = unchecked((ushort)(usedIndex + _replayCount));
        return VirtqueueFault.None;
    }

    /// <summary>The oldest chain that is still to be done again.</summary>
    internal bool TryTakeReplay(out ushort head)
    {
        head = HasReplay ? _heads[_replayNext] : (ushort)0;
        if (!HasReplay)
        {
            return false;
        }

        _replayNext++;
        return true;
    }

    /// <summary>Undoes <see cref="TryTakeReplay"/>.</summary>
    internal void PutBackReplay() => _replayNext--;

    /// <summary>A chain is about to be worked on.</summary>
    internal void Take(ushort head)
    {
        uint entry = Entry(head);
        _region.WriteUInt64Release(entry + CounterOffset, _counter);
        _counter = unchecked(_counter + 1);
        _region.WriteUInt32Release(entry, 1);
    }

    /// <summary>A chain was given back untouched.</summary>
    internal void PutBack(ushort head) => _region.WriteUInt32Release(Entry(head), 0);

    /// <summary>The used index is about to move over this chain.</summary>
    internal void BeginComplete(ushort head)
    {
        _region.WriteUInt16Release(Entry(head) + NextOffset, _region.ReadUInt16Acquire(LastBatchHeadOffset));
        _region.WriteUInt16Release(LastBatchHeadOffset, head);
    }

    /// <summary>The used index has moved.</summary>
    internal void EndComplete(ushort head, ushort usedIndex)
    {
        _region.WriteUInt32Release(Entry(head), 0);
        _region.WriteUInt16Release(UsedIndexOffset, usedIndex);
    }

    private void Begin(uint size, ushort usedIndex)
    {
        _region.Clear();
        _region.WriteUInt16Release(SizeOffset, (ushort)size);
        _region.WriteUInt16Release(UsedIndexOffset, usedIndex);
        _region.WriteUInt16Release(VersionOffset, 1); // last: from here on it counts
        _counter = 0;
    }

    // The predecessor may have died between moving the used index and striking out: those chains are done.
    private bool TryStrikeLastBatch(uint size, ushort usedIndex)
    {
        ushort batch = unchecked((ushort)(usedIndex - _region.ReadUInt16Acquire(UsedIndexOffset)));
        if (batch > size)
        {
            return false;
        }

        ushort head = _region.ReadUInt16Acquire(LastBatchHeadOffset);
        for (; batch != 0; batch--)
        {
            if (head >= size)
            {
                return false;
            }

            _region.WriteUInt32Release(Entry(head), 0);
            head = _region.ReadUInt16Acquire(Entry(head) + NextOffset);
        }

        _region.WriteUInt16Release(UsedIndexOffset, usedIndex);
        return true;
    }

    // Sorted by age: a driver that asked for two things in a row may mean them in that order. Few are in flight; an insertion sort will do.
    private void Collect(uint size)
    {
        _counter = 0;
        for (ushort head = 0; head < size; head++)
        {
            if ((_region.ReadUInt32Acquire(Entry(head)) & 0xFF) == 0)
            {
                continue;
            }

            ulong counter = _region.ReadUInt64Acquire(Entry(head) + CounterOffset);
            int place = _replayCount++;
            for (; place > 0 && _counters[place - 1] > counter; place--)
            {
                _heads[place] = _heads[place - 1];
                _counters[place] = _counters[place - 1];
            }

            _heads[place] = head;
            _counters[place] = counter;
            _counter = Math.Max(_counter, unchecked(counter + 1));
        }
    }

    private static uint Entry(ushort head) => HeaderBytes + (EntryBytes * head);
}
