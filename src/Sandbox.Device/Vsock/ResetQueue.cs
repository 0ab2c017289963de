namespace Sandbox.Device.Vsock;

/// <summary>Who gets a reset without having a connection here.</summary>
internal readonly record struct PendingReset(ulong SourceCid, uint SourcePort, uint DestinationPort);

/// <summary>Resets that wait for a receive buffer. When it is full no more packets are taken from the guest: it waits for itself.</summary>
internal sealed class ResetQueue
{
    private const int Capacity = 64;

    private readonly PendingReset[] _entries = new PendingReset[Capacity];
    private int _first;

    public int Count { get; private set; }

    public bool IsFull => Count == Capacity;

    public void Add(PendingReset reset)
    {
        _entries[(_first + Count) % Capacity] = reset;
        Count++;
    }

    public PendingReset Take()
    {
        PendingReset reset = _entries[_first];
        _first = (_first + 1) % Capacity;
        Count--;
        return reset;
    }

    /// <summary>A connection between these ports begins anew: a reset of what was there before would end it.</summary>
    public void Drop(uint sourcePort, uint destinationPort)
    {
        for (int left = Count; left > 0; left--)
        {
            PendingReset reset = Take();
            if (reset.SourcePort != sourcePort || reset.DestinationPort != destinationPort)
            {
                Add(reset);
            }
        }
    }

    public void Clear() => Count = 0;
}
