using System.Buffers.Binary;
using Sandbox.Memory;
using Sandbox.Virtio;

namespace Sandbox.Testing;

/// <summary>
/// The driver's side of a split virtqueue, written from virtio 1.2 §2.7 independently of the device's side. The methods named
/// Raw write what a hostile driver would.
/// </summary>
public sealed class DriverQueue
{
    public const ushort Next = 1;
    public const ushort Write = 2;
    public const ushort Indirect = 4;

    private const int Free = -1;

    private readonly TestGuest _guest;
    private readonly GuestSlice _descriptors;
    private readonly GuestSlice _available;
    private readonly GuestSlice _used;
    private readonly int[] _chainOf; // of each descriptor, the head of the chain it is in
    private ushort _nextDescriptor;
    private ushort _availableIndex;
    private ushort _usedSeen;

    public DriverQueue(TestGuest guest, ushort size, ushort startIndex = 0)
    {
        ArgumentNullException.ThrowIfNull(guest);
        _guest = guest;
        Size = size;
        _chainOf = new int[size];
        Array.Fill(_chainOf, Free);
        Layout = new VirtqueueLayout(size, guest.Allocate(16u * size), guest.Allocate(6 + (2u * size)), guest.Allocate(6 + (8u * size)));
        _descriptors = guest.Slice(Layout.DescriptorTable, 16u * size);
        _available = guest.Slice(Layout.AvailableRing, 6 + (2u * size));
        _used = guest.Slice(Layout.UsedRing, 6 + (8u * size));
        _availableIndex = startIndex;
        _usedSeen = startIndex;
        _available.WriteUInt16Release(2, startIndex);
        _used.WriteUInt16Release(2, startIndex);
    }

    public ushort Size { get; }

    public VirtqueueLayout Layout { get; }

    public ushort AvailableIndex => _availableIndex;

    public ushort UsedIndex => _used.ReadUInt16Acquire(2);

    /// <summary>The index the device wants a kick for (EVENT_IDX).</summary>
    public ushort KickWantedAt => _used.ReadUInt16Acquire(4 + (8u * Size));

    /// <summary>VIRTQ_USED_F_NO_NOTIFY is set.</summary>
    public bool KicksSuppressed => (_used.ReadUInt16Acquire(0) & 1) != 0;

    /// <summary>Asks for no calls (without EVENT_IDX).</summary>
    public void SuppressCalls(bool on) => _available.WriteUInt16Release(0, on ? (ushort)1 : (ushort)0);

    /// <summary>Asks for a call when the used index passes this one (EVENT_IDX).</summary>
    public void WantCallAt(ushort usedIndex) => _available.WriteUInt16Release(4 + (2u * Size), usedIndex);

    /// <summary>Writes a chain of buffers to free descriptors and makes it available. The head. A driver that takes no answers back reuses what it must.</summary>
    public ushort Add(params ReadOnlySpan<DriverBuffer> buffers)
    {
        ushort head = Take(Free);
        ushort here = head;
        for (int index = 0; index < buffers.Length; index++)
        {
            DriverBuffer buffer = buffers[index];
            bool last = index + 1 == buffers.Length;
            ushort next = last ? (ushort)0 : Take(head);
            int flags = (buffer.DeviceWrites ? Write : 0) | (last ? 0 : Next);
            RawDescriptor(here, buffer.Address.Value, buffer.LengthBytes, (ushort)flags, next);
            here = next;
        }

        RawMakeAvailable(head);
        return head;
    }

    /// <summary>The same in an indirect table.</summary>
    public ushort AddIndirect(params ReadOnlySpan<DriverBuffer> buffers)
    {
        byte[] table = new byte[16 * buffers.Length];
        for (int index = 0; index < buffers.Length; index++)
        {
            DriverBuffer buffer = buffers[index];
            int flags = (buffer.DeviceWrites ? Write : 0) | (index + 1 < buffers.Length ? Next : 0);
            Encode(table.AsSpan(16 * index), buffer.Address.Value, buffer.LengthBytes, (ushort)flags, (ushort)(index + 1));
        }

        GuestAddress address = _guest.Place(table);
        ushort head = Take(Free);
        RawDescriptor(head, address.Value, (uint)table.Length, Indirect, 0);
        RawMakeAvailable(head);
        return head;
    }

    /// <summary>A used element is there to be taken.</summary>
    public bool TryPeekUsed() => UsedIndex != _usedSeen;

    /// <summary>Takes the next used element.</summary>
    public bool TryTakeUsed(out uint head, out uint writtenBytes)
    {
        head = 0;
        writtenBytes = 0;
        if (UsedIndex == _usedSeen)
        {
            return false;
        }

        uint entry = 4 + (8u * (uint)(_usedSeen % Size));
        head = _used.ReadUInt32Acquire(entry);
        writtenBytes = _used.ReadUInt32Acquire(entry + 4);
        _usedSeen = unchecked((ushort)(_usedSeen + 1));
        for (int index = 0; index < _chainOf.Length; index++)
        {
            _chainOf[index] = _chainOf[index] == head ? Free : _chainOf[index];
        }

        return true;
    }

    public void RawDescriptor(ushort index, ulong address, uint lengthBytes, ushort flags, ushort next)
    {
        Span<byte> bytes = stackalloc byte[16];
        Encode(bytes, address, lengthBytes, flags, next);
        _descriptors.CopyFrom(16u * index, bytes);
    }

    public void RawMakeAvailable(ushort head)
    {
        _available.WriteUInt16Release(4 + (2u * (uint)(_availableIndex % Size)), head);
        _availableIndex = unchecked((ushort)(_availableIndex + 1));
        _available.WriteUInt16Release(2, _availableIndex);
    }

    public void RawAvailableIndex(ushort index) => _available.WriteUInt16Release(2, index);

    // The next free descriptor in turn, for a chain: its own where it begins one.
    private ushort Take(int chain)
    {
        ushort taken = _nextDescriptor;
        for (int tries = 0; tries < Size && _chainOf[taken] != Free; tries++)
        {
            taken = (ushort)((taken + 1) % Size);
        }

        _nextDescriptor = (ushort)((taken + 1) % Size);
        _chainOf[taken] = chain == Free ? taken : chain;
        return taken;
    }

    private static void Encode(Span<byte> bytes, ulong address, uint lengthBytes, ushort flags, ushort next)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, address);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], lengthBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[12..], flags);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[14..], next);
    }
}
