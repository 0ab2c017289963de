using Sandbox.Fuzz.Guest;
using Sandbox.Virtio;

namespace Sandbox.Fuzz.Targets;

/// <summary>virtio 1.2 §2.7 read a second time, slowly and with plain arithmetic on 128 bits: what the next pop must give.</summary>
internal sealed class VirtqueueModel(FuzzGuest guest, VirtqueueLayout layout, bool indirectNegotiated, ushort start, IReadOnlyCollection<ushort> inFlight)
{
    private const int LongestChain = 1024;

    private ushort _next = start;
    private bool _seenWritable;

    public ushort Head { get; private set; }

    public ulong ReadableBytes { get; private set; }

    public ulong WritableBytes { get; private set; }

    public static bool InMemory(ulong address, ulong lengthBytes)
    {
        foreach (Memory.GuestMemoryRegion region in FuzzGuest.Regions)
        {
            if (address >= region.Start.Value && address < region.Start.Value + region.LengthBytes
                && (UInt128)address + lengthBytes <= (UInt128)region.Start.Value + region.LengthBytes)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>False: nothing is available.</summary>
    public bool TryPop(out VirtqueueFault fault)
    {
        fault = VirtqueueFault.None;
        int ahead = (guest.Read16(layout.AvailableRing.Value + 2) - _next) & 0xFFFF;
        if (ahead == 0)
        {
            return false;
        }

        fault = ahead > layout.Size ? VirtqueueFault.AvailableIndexTooFar : Take();
        return true;
    }

    private VirtqueueFault Take()
    {
        Head = guest.Read16(layout.AvailableRing.Value + 4 + (2ul * (_next % layout.Size)));
        if (Head >= layout.Size)
        {
            return VirtqueueFault.HeadOutOfRange;
        }

        if (inFlight.Contains(Head))
        {
            return VirtqueueFault.HeadInFlight;
        }

        _next = unchecked((ushort)(_next + 1));
        ReadableBytes = 0;
        WritableBytes = 0;
        _seenWritable = false;
        return Walk(layout.DescriptorTable.Value, layout.Size, Head, insideIndirect: false);
    }

    private VirtqueueFault Walk(ulong table, uint entries, uint index, bool insideIndirect)
    {
        int buffers = 0;
        for (uint step = 0; step < entries; step++)
        {
            ulong at = table + (16ul * index);
            ulong address = guest.Read32(at) | ((ulong)guest.Read32(at + 4) << 32);
            uint length = guest.Read32(at + 8);
            ushort flags = guest.Read16(at + 12);
            ushort next = guest.Read16(at + 14);
            if ((flags & 4) != 0)
            {
                return insideIndirect ? VirtqueueFault.IndirectNested : WalkIndirect(address, length, flags);
            }

            VirtqueueFault fault = Add(address, length, (flags & 2) != 0, ref buffers);
            if (fault != VirtqueueFault.None || (flags & 1) == 0)
            {
                return fault;
            }

            if (next >= entries)
            {
                return VirtqueueFault.NextOutOfRange;
            }

            index = next;
        }

        return VirtqueueFault.ChainTooLong;
    }

    private VirtqueueFault WalkIndirect(ulong address, uint length, ushort flags)
    {
        if (!indirectNegotiated)
        {
            return VirtqueueFault.IndirectNotNegotiated;
        }

        if ((flags & 1) != 0)
        {
            return VirtqueueFault.IndirectNested;
        }

        if (length == 0 || length % 16 != 0 || length / 16 > LongestChain)
        {
            return VirtqueueFault.IndirectLengthInvalid;
        }

        return InMemory(address, length) ? Walk(address, length / 16, 0, insideIndirect: true) : VirtqueueFault.BufferOutsideMemory;
    }

    private VirtqueueFault Add(ulong address, uint length, bool writable, ref int buffers)
    {
        if (_seenWritable && !writable)
        {
            return VirtqueueFault.ReadableAfterWritable;
        }

        _seenWritable |= writable;
        if (length == 0)
        {
            return VirtqueueFault.None;
        }

        if ((UInt128)ReadableBytes + WritableBytes + length > uint.MaxValue)
        {
            return VirtqueueFault.ChainTooManyBytes;
        }

        if (!InMemory(address, length))
        {
            return VirtqueueFault.BufferOutsideMemory;
        }

        ReadableBytes += writable ? 0ul : length;
        WritableBytes += writable ? length : 0ul;
        return ++buffers > LongestChain ? VirtqueueFault.ChainTooLong : VirtqueueFault.None;
    }
}
