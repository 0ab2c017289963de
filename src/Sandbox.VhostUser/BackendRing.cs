using System.Numerics;

namespace Sandbox.VhostUser;

/// <summary>What a backend session knows of one ring.</summary>
internal struct BackendRing
{
    private ushort _size;
    private ushort _nextAvailableIndex;
    private bool _hasAddresses;
    private RingAddresses _addresses;

    public bool HasKick { get; set; }

    public bool Enabled { get; set; }

    /// <summary>The device is reading the ring: only call and error fds may change.</summary>
    public bool Running { get; set; }

    public readonly ushort NextAvailableIndex => _nextAvailableIndex;

    public VhostUserFault SetSize(uint size, ushort maxSize)
    {
        if (Running)
        {
            return VhostUserFault.RingIsRunning;
        }

        if (size == 0 || size > maxSize || !BitOperations.IsPow2(size))
        {
            return VhostUserFault.BadQueueSize;
        }

        _size = (ushort)size;
        return VhostUserFault.None;
    }

    public VhostUserFault SetBase(uint index)
    {
        if (Running)
        {
            return VhostUserFault.RingIsRunning;
        }

        if (index > ushort.MaxValue)
        {
            return VhostUserFault.BadQueueSize;
        }

        _nextAvailableIndex = (ushort)index;
        return VhostUserFault.None;
    }

    public VhostUserFault SetAddresses(in RingAddresses addresses)
    {
        if (Running)
        {
            return VhostUserFault.RingIsRunning;
        }

        // The only flag asks for a dirty log, which is not offered.
        if (addresses.Flags != 0)
        {
            return VhostUserFault.BadValue;
        }

        _addresses = addresses;
        _hasAddresses = true;
        return VhostUserFault.None;
    }

    /// <summary>Translates and checks the whole ring (virtio 1.2, 2.7: sizes and alignments of its three parts).</summary>
    public readonly VhostUserFault Resolve(in MemoryTable memory, out RingLayout layout)
    {
        layout = default;
        if (_size == 0 || !_hasAddresses || memory.Count == 0)
        {
            return VhostUserFault.RingNotConfigured;
        }

        uint size = _size;
        if (!memory.TryTranslate(_addresses.Descriptors, 16 * size, out ulong descriptors)
            || !memory.TryTranslate(_addresses.Available, 6 + (2 * size), out ulong available)
            || !memory.TryTranslate(_addresses.Used, 6 + (8 * size), out ulong used)
            || ((descriptors & 15) | (available & 1) | (used & 3)) != 0)
        {
            return VhostUserFault.BadRingAddress;
        }

        layout = new RingLayout(_size, descriptors, available, used, _nextAvailableIndex);
        return VhostUserFault.None;
    }
}
