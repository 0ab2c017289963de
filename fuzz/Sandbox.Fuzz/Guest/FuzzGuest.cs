using System.Buffers.Binary;
using Sandbox.Linux;
using Sandbox.Memory;

namespace Sandbox.Fuzz.Guest;

/// <summary>A small guest: two regions with a hole between them, the driver's pen, and the auditor. Used again for every input.</summary>
internal sealed class FuzzGuest : IDisposable
{
    public const ulong LowStart = 0x1000; // so that address zero is no memory
    public const ulong LowBytes = 0x2_0000;
    public const ulong HighStart = 0x1_0000_0000;
    public const ulong HighBytes = 0x4000;

    private const uint RecordBytes = 0x2000; // a queue of 256 entries needs 4,112
    private const uint RecordQueues = 8;

    private readonly GuestSlice _low;
    private readonly GuestSlice _high;
    private ulong _next;
    private FdHandle? _recordsFile;
    private GuestMemory? _records;

    public FuzzGuest()
    {
        GuestWatch.Watcher = Auditor;
        File = MemFd.CreateSealed("fuzz-guest", (long)(LowBytes + HighBytes));
        Memory = GuestMemory.Map(File.Number, Regions);
        _ = Memory.TryGetSlice(new GuestAddress(LowStart), (uint)LowBytes, out _low);
        _ = Memory.TryGetSlice(new GuestAddress(HighStart), (uint)HighBytes, out _high);
    }

    public static GuestMemoryRegion[] Regions =>
    [
        new GuestMemoryRegion(new GuestAddress(LowStart), LowBytes, 0),
        new GuestMemoryRegion(new GuestAddress(HighStart), HighBytes, LowBytes),
    ];

    public GuestAuditor Auditor { get; } = new();

    public FdHandle File { get; }

    public GuestMemory Memory { get; }

    /// <summary>A buffer is the driver's again when its request is answered, and in no other request.</summary>
    public bool TakesBack { get; set; }

    /// <summary>Bytes the driver has left.</summary>
    public ulong Room => LowStart + LowBytes - _next;

    public void Begin(bool strict)
    {
        GuestWatch.Watcher = Auditor;
        Auditor.Begin(strict);
        Auditor.Muted = true;
        _low.Clear();
        _high.Clear();
        Auditor.Muted = false;
        _next = LowStart;
    }

    /// <summary>Zeroed low memory that nobody has; false when there is none left.</summary>
    public bool TryAllocate(uint lengthBytes, uint alignment, ByteUse use, out ulong address)
    {
        address = (_next + alignment - 1) & ~((ulong)alignment - 1);
        if (lengthBytes > LowStart + LowBytes - address)
        {
            return false;
        }

        _next = address + lengthBytes;
        if (Auditor.Strict && lengthBytes != 0)
        {
            Auditor.Grant(address, lengthBytes, use);
        }

        return true;
    }

    /// <summary>Where a queue's requests in flight are recorded, for a successor.</summary>
    public GuestSlice Record(int queue)
    {
        if (_records is null)
        {
            _recordsFile = MemFd.CreateSealed("fuzz-records", RecordQueues * RecordBytes);
            Auditor.MapsRecords = true;
            _records = GuestMemory.Map(_recordsFile.Number, [new GuestMemoryRegion(new GuestAddress(0), RecordQueues * RecordBytes, 0)]);
            Auditor.MapsRecords = false;
        }

        return _records.TryGetSlice(new GuestAddress((ulong)queue * RecordBytes), RecordBytes, out GuestSlice record)
            ? record
            : throw new InvalidOperationException("more queues than records");
    }

    /// <summary>A record that nobody has used.</summary>
    public GuestSlice ClearRecord(int queue)
    {
        GuestSlice record = Record(queue);
        bool muted = Auditor.Muted;
        Auditor.Muted = true;
        record.Clear();
        Auditor.Muted = muted;
        return record;
    }

    /// <summary>Somebody else writes into a record.</summary>
    public void WriteRecord(int queue, uint offset, ReadOnlySpan<byte> bytes)
    {
        bool muted = Auditor.Muted;
        Auditor.Muted = true;
        Record(queue).CopyFrom(offset, bytes);
        Auditor.Muted = muted;
    }

    /// <summary>The driver writes. Outside memory it writes nothing.</summary>
    public void Write(ulong address, ReadOnlySpan<byte> bytes)
    {
        bool muted = Auditor.Muted;
        Auditor.Muted = true;
        _ = Memory.TryWrite(new GuestAddress(address), bytes);
        Auditor.Muted = muted;
    }

    /// <summary>The driver writes a descriptor (virtio 1.2 §2.7.5).</summary>
    public void WriteDescriptor(ulong at, ulong address, uint lengthBytes, ushort flags, ushort next)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, address);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], lengthBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[12..], flags);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[14..], next);
        Write(at, bytes);
    }

    /// <summary>The driver reads; zeros outside memory.</summary>
    public void Read(ulong address, Span<byte> bytes)
    {
        bool muted = Auditor.Muted;
        Auditor.Muted = true;
        if (!Memory.TryRead(new GuestAddress(address), bytes))
        {
            bytes.Clear();
        }

        Auditor.Muted = muted;
    }

    public ushort Read16(ulong address)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ushort)];
        Read(address, bytes);
        return BinaryPrimitives.ReadUInt16LittleEndian(bytes);
    }

    public uint Read32(ulong address)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        Read(address, bytes);
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }

    public void Write16(ulong address, ushort value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, value);
        Write(address, bytes);
    }

    public void Dispose()
    {
        _records?.Dispose();
        _recordsFile?.Dispose();
        Memory.Dispose();
        File.Dispose();
        GuestWatch.Watcher = null;
    }
}
