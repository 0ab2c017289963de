using Sandbox.Memory;

namespace Sandbox.Virtio;

/// <summary>
/// The device's side of a split virtqueue (virtio 1.2 §2.7). Everything read from the rings is the guest's word, read once.
/// One thread uses it. Nothing is allocated after the constructor.
/// </summary>
public sealed class SplitVirtqueue
{
    /// <summary>The most entries offered: the specification allows 32768, no driver here needs more than this.</summary>
    public const int MaxSize = 1024;

    private const uint FlagsOffset = 0;
    private const uint IndexOffset = 2;
    private const uint EntriesOffset = 4;
    private const uint UsedEntryBytes = 8;
    private const ushort NoNotification = 1; // VIRTQ_AVAIL_F_NO_INTERRUPT and VIRTQ_USED_F_NO_NOTIFY

    private readonly InFlightHeads _inFlight = new();
    private GuestMemory? _memory;
    private GuestSlice _descriptors;
    private GuestSlice _available;
    private GuestSlice _used;
    private uint _size;
    private bool _eventIndex;
    private bool _indirect;
    private ushort _nextAvailable;
    private ushort _nextUsed;
    private ushort _usedAtLastCall;
    private bool _calledSinceConfigure;
    private bool _poppedReplay;
    private InFlightRecord? _record;

    /// <summary>Set up: the rings are this side's to use. It may have a fault since.</summary>
    public bool IsConfigured => _memory is not null;

    /// <summary>Set up and without a fault.</summary>
    public bool IsRunning => IsConfigured && Fault == VirtqueueFault.None;

    /// <summary>Why the queue stopped by itself; stays until it is set up again.</summary>
    public VirtqueueFault Fault { get; private set; }

    /// <summary>The next entry of the available ring to be taken: what vhost-user calls the base of a stopped queue.</summary>
    public ushort NextAvailableIndex => _nextAvailable;

    /// <summary>Entries; 0 when not set up.</summary>
    public uint Size => IsConfigured ? _size : 0;

    /// <summary>Chains taken and not yet completed.</summary>
    public int InFlightCount => _inFlight.Count;

    /// <summary>
    /// It was used before it was set up here: a predecessor may have completed chains and died before it told. By its record, where there is one:
    /// a used index of 0 may be that of 65,536 chains.
    /// </summary>
    public bool IsTakenOver => IsConfigured && (_nextUsed != 0 || _record is { HasPredecessor: true });

    /// <summary>
    /// Starts the queue at <paramref name="baseIndex"/> of the available ring; the used index goes on from what the ring holds. With a
    /// record that has been used, the record says where to start, and what its writer left undone is popped first.
    /// </summary>
    public VirtqueueFault Configure(GuestMemory memory, VirtqueueLayout layout, ulong features, ushort baseIndex, InFlightRecord? record = null)
    {
        ArgumentNullException.ThrowIfNull(memory);
        Stop();
        _nextAvailable = baseIndex;
        Fault = layout.Resolve(memory, out _descriptors, out _available, out _used);
        if (Fault != VirtqueueFault.None)
        {
            return Fault;
        }

        _record = record is { IsAttached: true } ? record : null;
        ushort usedIndex = _used.ReadUInt16Acquire(IndexOffset);
        if (_record is not null)
        {
            Fault = _record.Recover(layout.Size, usedIndex, ref _nextAvailable);
            if (Fault != VirtqueueFault.None)
            {
                return Fault;
            }
        }

        _memory = memory;
        _size = layout.Size;
        _eventIndex = (features & VirtioFeatureBits.RingEventIndex) != 0;
        _indirect = (features & VirtioFeatureBits.RingIndirectDescriptors) != 0;
        _nextUsed = usedIndex;
        _usedAtLastCall = _nextUsed;
        _calledSinceConfigure = false;
        return VirtqueueFault.None;
    }

    /// <summary>Lets go of guest memory. Chains in flight are forgotten: their buffers must not be touched after this.</summary>
    public void Stop()
    {
        _memory = null;
        _record = null;
        _descriptors = default;
        _available = default;
        _used = default;
        _inFlight.Clear();
    }

    /// <summary>Stops the queue because a request in it could not be answered.</summary>
    public void Fail(VirtqueueFault fault) => Fault = Fault == VirtqueueFault.None ? fault : Fault;

    /// <summary>A window on the guest's memory, for a request that names a place in it by number; false unless the whole range lies in one region, or when not set up.</summary>
    public bool TryGetSlice(GuestAddress start, uint lengthBytes, out GuestSlice slice)
    {
        slice = default;
        return _memory is not null && _memory.TryGetSlice(start, lengthBytes, out slice);
    }

    /// <summary>Takes the next chain. False when there is none, or when the queue is stopped: <see cref="Fault"/> says why.</summary>
    public bool TryPop(DescriptorChain chain)
    {
        ArgumentNullException.ThrowIfNull(chain);
        if (!IsRunning)
        {
            return false;
        }

        if (_record is not null && _record.TryTakeReplay(out ushort replayed))
        {
            _poppedReplay = true;
            Fault = _inFlight.TryAdd(replayed) ? chain.Take(_memory!, _descriptors, replayed, _indirect) : VirtqueueFault.HeadInFlight;
            return Fault == VirtqueueFault.None;
        }

        // Acquire: what the driver wrote before it moved the index is read after it (§2.7.13.3).
        ushort claimed = unchecked((ushort)(_available.ReadUInt16Acquire(IndexOffset) - _nextAvailable));
        if (claimed == 0)
        {
            return false;
        }

        Fault = claimed <= _size ? Take(chain) : VirtqueueFault.AvailableIndexTooFar;
        return Fault == VirtqueueFault.None;
    }

    /// <summary>Puts the chain that was popped last back, untouched, to be popped again.</summary>
    public void PutBack(DescriptorChain chain)
    {
        ArgumentNullException.ThrowIfNull(chain);
        _inFlight.Remove(chain.HeadIndex);
        if (_poppedReplay)
        {
            _record?.PutBackReplay();
            return;
        }

        _record?.PutBack(chain.HeadIndex);
        _nextAvailable = unchecked((ushort)(_nextAvailable - 1));
    }

    /// <summary>Puts a chain of several back by its head: the one popped last goes first. Only for a queue without a record.</summary>
    public void PutBack(ushort headIndex)
    {
        RequireNoRecord();
        if (_memory is null)
        {
            return; // Stopped meanwhile: nothing is in flight any more.
        }

        _inFlight.Remove(headIndex);
        _nextAvailable = unchecked((ushort)(_nextAvailable - 1));
    }

    /// <summary>Gives a chain back to the driver with the count of bytes written into its writable part.</summary>
    public void Complete(ushort headIndex, uint writtenBytes)
    {
        if (_memory is null)
        {
            return; // Stopped meanwhile: the rings are no longer ours.
        }

        _record?.BeginComplete(headIndex);
        AddUsed(headIndex, writtenBytes);
        _used.WriteUInt16Release(IndexOffset, _nextUsed); // Release: the element, and the data, come first (§2.7.8.2).
        _record?.EndComplete(headIndex, _nextUsed);
    }

    /// <summary>Gives several chains back at once: a driver that sees the first sees them all (a packet in several buffers). Only for a queue without a record.</summary>
    public void CompleteAll(ReadOnlySpan<UsedChain> chains)
    {
        RequireNoRecord();
        if (_memory is null)
        {
            return;
        }

        foreach (ref readonly UsedChain chain in chains)
        {
            AddUsed(chain.HeadIndex, chain.WrittenBytes);
        }

        _used.WriteUInt16Release(IndexOffset, _nextUsed); // as in Complete
    }

    /// <summary>True when the driver wants to hear of the chains completed since this was last asked (§2.7.7.2). Asking counts as telling.</summary>
    public bool TakeCallNeeded()
    {
        if (_memory is null || _nextUsed == _usedAtLastCall)
        {
            return false;
        }

        GuestFence.Full(); // The used index above is visible before the driver's wish is read.
        ushort old = _usedAtLastCall;
        bool first = !_calledSinceConfigure;
        _usedAtLastCall = _nextUsed;
        _calledSinceConfigure = true;
        if (!_eventIndex)
        {
            return (_available.ReadUInt16Acquire(FlagsOffset) & NoNotification) == 0;
        }

        ushort wanted = _available.ReadUInt16Acquire(EntriesOffset + (2 * _size));
        // A queue taken over from another process does not know what that one had told: the first time it tells.
        return first || unchecked((ushort)(_nextUsed - wanted - 1)) < unchecked((ushort)(_nextUsed - old));
    }

    /// <summary>Asks the driver not to kick: this side is looking anyway. Without EVENT_IDX by a flag, with it by leaving the index behind.</summary>
    public void SuppressKicks()
    {
        if (_memory is not null && !_eventIndex)
        {
            _used.WriteUInt16Release(FlagsOffset, NoNotification);
        }
    }

    /// <summary>Asks the driver to kick for the next chain. True when one came before it could know: look again.</summary>
    /// <param name="seenChains">Chains ahead that are known and not enough: the kick is wanted for the one behind them.</param>
    public bool EnableKicks(ushort seenChains = 0)
    {
        if (!IsRunning)
        {
            return false;
        }

        ushort wanted = unchecked((ushort)(_nextAvailable + seenChains));
        if (_eventIndex)
        {
            _used.WriteUInt16Release(EntriesOffset + (UsedEntryBytes * _size), wanted);
        }
        else
        {
            _used.WriteUInt16Release(FlagsOffset, 0);
        }

        GuestFence.Full(); // The wish is visible before the index is read again (§2.7.10).
        return _record is { HasReplay: true } || _available.ReadUInt16Acquire(IndexOffset) != wanted;
    }

    /// <summary>A look without taking: one more chain is claimed to be there.</summary>
    public bool HasAvailable => IsRunning && (_record is { HasReplay: true } || _available.ReadUInt16Acquire(IndexOffset) != _nextAvailable);

    private void RequireNoRecord()
    {
        if (_record is not null)
        {
            throw new InvalidOperationException("a record of requests in flight knows one chain at a time");
        }
    }

    private void AddUsed(ushort headIndex, uint writtenBytes)
    {
        _inFlight.Remove(headIndex);
        uint entry = EntriesOffset + (UsedEntryBytes * (_nextUsed & (_size - 1)));
        _used.WriteUInt32Release(entry, headIndex);
        _used.WriteUInt32Release(entry + 4, writtenBytes);
        _nextUsed = unchecked((ushort)(_nextUsed + 1));
    }

    private VirtqueueFault Take(DescriptorChain chain)
    {
        ushort head = _available.ReadUInt16Acquire(EntriesOffset + (2 * (_nextAvailable & (_size - 1))));
        if (head >= _size)
        {
            return VirtqueueFault.HeadOutOfRange;
        }

        if (!_inFlight.TryAdd(head))
        {
            return VirtqueueFault.HeadInFlight;
        }

        _poppedReplay = false;
        _record?.Take(head);
        _nextAvailable = unchecked((ushort)(_nextAvailable + 1));
        return chain.Take(_memory!, _descriptors, head, _indirect);
    }
}
