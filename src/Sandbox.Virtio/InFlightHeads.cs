namespace Sandbox.Virtio;

/// <summary>Which heads of a queue are being worked on: one bit each.</summary>
internal sealed class InFlightHeads
{
    private readonly ulong[] _bits = new ulong[SplitVirtqueue.MaxSize / 64];

    internal int Count { get; private set; }

    /// <summary>False when the head is in flight already: completing one of the two would free the other's buffers.</summary>
    internal bool TryAdd(ushort head)
    {
        ulong bit = 1UL << (head & 63);
        ref ulong word = ref _bits[head >> 6];
        if ((word & bit) != 0)
        {
            return false;
        }

        word |= bit;
        Count++;
        return true;
    }

    internal void Remove(ushort head)
    {
        ulong bit = 1UL << (head & 63);
        ref ulong word = ref _bits[head >> 6];
        if ((word & bit) == 0)
        {
            throw new InvalidOperationException("a chain completed that was not in flight");
        }

        word &= ~bit;
        Count--;
    }

    internal void Clear()
    {
        Array.Clear(_bits);
        Count = 0;
    }
}
