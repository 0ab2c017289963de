using System.Buffers.Binary;
using Sandbox.Memory;
using Sandbox.Virtio;

namespace Sandbox.Fuzz.Guest;

/// <summary>The driver's side of a split queue (virtio 1.2 §2.7), by the book or not. It checks what comes back.</summary>
internal sealed class FuzzQueue
{
    /// <summary>VIRTQ_DESC_F_NEXT and VIRTQ_DESC_F_WRITE.</summary>
    public const ushort Next = 1;
    public const ushort DeviceWrites = 2;
    private const ushort Indirect = 4;

    private readonly FuzzGuest _guest;
    private readonly uint[] _writableBytes; // of the chain with that head; uint.MaxValue: not with the device
    private readonly ushort[] _chainLength;
    private readonly FuzzBuffer[]?[] _given; // what the driver takes back with the answer
    private ushort _firstFree;
    private ushort _freeCount;
    private ushort _availableIndex;
    private ushort _usedSeen;
    private ushort _takenBack;

    public FuzzQueue(FuzzGuest guest, ushort size, ushort start)
    {
        _guest = guest;
        Size = size;
        _writableBytes = new uint[size];
        _chainLength = new ushort[size];
        _given = new FuzzBuffer[]?[size];
        Array.Fill(_writableBytes, uint.MaxValue);
        _freeCount = size;
        _availableIndex = start;
        _usedSeen = start;
        _takenBack = start;
        _ = guest.TryAllocate(16u * size, 16, ByteUse.None, out ulong descriptors);
        _ = guest.TryAllocate(6 + (2u * size), 2, ByteUse.Read, out ulong available);
        _ = guest.TryAllocate(6 + (8u * size), 4, ByteUse.Read | ByteUse.Write, out ulong used);
        Layout = new VirtqueueLayout(size, new GuestAddress(descriptors), new GuestAddress(available), new GuestAddress(used));
        guest.Auditor.AddAvailableIndex(available + 2);
        guest.Auditor.AddUsedIndex(used + 2, TakeBack);
        guest.Auditor.AddWish(available); // flags
        guest.Auditor.AddWish(available + 4 + (2u * size)); // used_event
        guest.Write16(available, 0); // no wish of another input's driver
        guest.Write16(available + 4 + (2u * size), 0);
        guest.Write16(available + 2, start);
        guest.Write16(used + 2, start);
    }

    public ushort Size { get; }

    public VirtqueueLayout Layout { get; }

    public ushort AvailableIndex => _availableIndex;

    /// <summary>Chains with the device, where the driver keeps to the rules.</summary>
    public int Outstanding { get; private set; }

    public ushort FreeCount => _freeCount;

    private ulong Descriptors => Layout.DescriptorTable.Value;

    private ulong Available => Layout.AvailableRing.Value;

    private ulong Used => Layout.UsedRing.Value;

    /// <summary>Makes a chain available. False when there is no room for it.</summary>
    public bool TryAdd(ReadOnlySpan<FuzzBuffer> buffers, bool indirect, out ushort head)
    {
        head = _firstFree;
        int needed = indirect ? 1 : buffers.Length;
        if (buffers.IsEmpty || needed > _freeCount)
        {
            return false;
        }

        uint writable = 0;
        ulong table = 0;
        if (indirect && !_guest.TryAllocate((uint)buffers.Length * 16, 16, ByteUse.Read, out table))
        {
            return false;
        }

        for (int index = 0; index < buffers.Length; index++)
        {
            FuzzBuffer buffer = buffers[index];
            writable += buffer.DeviceWrites ? buffer.LengthBytes : 0;
            bool last = index + 1 == buffers.Length;
            ushort flags = (ushort)((last ? 0 : Next) | (buffer.DeviceWrites ? DeviceWrites : 0));
            ushort here = (ushort)((_firstFree + index) % Size);
            ushort next = (ushort)(last ? 0 : indirect ? index + 1 : (here + 1) % Size);
            ulong at = indirect ? table + (16ul * (uint)index) : Descriptors + (16ul * here);
            _guest.WriteDescriptor(at, buffer.Address, buffer.LengthBytes, flags, next);
        }

        if (indirect)
        {
            _guest.WriteDescriptor(Descriptors + (16ul * head), table, (uint)buffers.Length * 16, Indirect, 0);
        }

        if (_guest.Auditor.Strict)
        {
            for (int index = 0; index < needed; index++)
            {
                _guest.Auditor.Grant(Descriptors + (16ul * (uint)((head + index) % Size)), 16, ByteUse.Read);
            }
        }

        _firstFree = (ushort)((_firstFree + needed) % Size);
        _freeCount -= (ushort)needed;
        _chainLength[head] = (ushort)needed;
        _writableBytes[head] = writable;
        _given[head] = _guest.Auditor.Strict && _guest.TakesBack
            ? [.. buffers, .. indirect ? (ReadOnlySpan<FuzzBuffer>)[new FuzzBuffer(table, (uint)buffers.Length * 16, false)] : []]
            : null;
        Outstanding++;
        MakeAvailable(head);
        return true;
    }

    /// <summary>The used index as the device has left it.</summary>
    public ushort UsedIndex => _guest.Read16(Used + 2);

    /// <summary>What has been answered is no longer the device's. What is wrong with the answers is judged when they are taken.</summary>
    private void TakeBack()
    {
        ushort index = _guest.Read16(Used + 2);
        for (int left = Size; left > 0 && _takenBack != index; left--)
        {
            uint head = _guest.Read32(Used + 4 + (8ul * (uint)(_takenBack % Size)));
            _takenBack = unchecked((ushort)(_takenBack + 1));
            if (head < Size && _given[head] is { } given)
            {
                _given[head] = null;
                foreach (FuzzBuffer buffer in given)
                {
                    _guest.Auditor.Grant(buffer.Address, buffer.LengthBytes, ByteUse.None);
                }
            }
        }
    }

    /// <summary>Takes the next used element, and holds the device to it.</summary>
    public bool TryTakeUsed(out ushort head, out uint writtenBytes)
    {
        head = 0;
        writtenBytes = 0;
        TakeBack();
        ushort index = _guest.Read16(Used + 2);
        ushort ready = unchecked((ushort)(index - _usedSeen));
        if (ready == 0)
        {
            return false;
        }

        if (ready > Outstanding)
        {
            throw new FindingException($"used ring: {ready} elements for {Outstanding} chains");
        }

        ulong entry = Used + 4 + (8ul * (uint)(_usedSeen % Size));
        uint id = _guest.Read32(entry);
        writtenBytes = _guest.Read32(entry + 4);
        _usedSeen = unchecked((ushort)(_usedSeen + 1));
        if (id >= Size || _writableBytes[id] == uint.MaxValue)
        {
            throw new FindingException($"used ring: head {id} is not with the device");
        }

        if (writtenBytes > _writableBytes[id])
        {
            throw new FindingException($"used ring: {writtenBytes} bytes written into a chain with room for {_writableBytes[id]}");
        }

        head = (ushort)id;
        _writableBytes[head] = uint.MaxValue;
        _freeCount += _chainLength[head];
        Outstanding--;
        return true;
    }

    /// <summary>Whether a driver kicks for the next chain (§2.7.10).</summary>
    public bool KicksNext(bool eventIndex) => eventIndex ? _guest.Read16(Used + 4 + (8ul * Size)) == _availableIndex : (_guest.Read16(Used) & 1) == 0;

    /// <summary>Whether it wishes to be called for one of these answers (§2.7.7).</summary>
    public bool WantsCall(bool eventIndex, ushort from, ushort to) => eventIndex
        ? unchecked((ushort)(to - _guest.Read16(Available + 4 + (2ul * Size)) - 1)) < unchecked((ushort)(to - from))
        : (_guest.Read16(Available) & 1) == 0;

    public void MakeAvailable(ushort head)
    {
        _guest.Write16(Available + 4 + (2ul * (uint)(_availableIndex % Size)), head);
        _availableIndex = unchecked((ushort)(_availableIndex + 1));
        _guest.Write16(Available + 2, _availableIndex);
    }

    public void SetFlags(ushort flags) => _guest.Write16(Available, flags);

    public void WantCallAt(ushort usedIndex) => _guest.Write16(Available + 4 + (2ul * Size), usedIndex);

    public void RawAvailableIndex(ushort index)
    {
        _availableIndex = index;
        _guest.Write16(Available + 2, index);
    }

    public void RawDescriptor(ushort index, ulong address, uint lengthBytes, ushort flags, ushort next) =>
        _guest.WriteDescriptor(Descriptors + (16ul * (uint)(index % Size)), address, lengthBytes, flags, next);
}
