using System.Buffers.Binary;

namespace Sandbox.VhostUser;

/// <summary>
/// Bytes to values and back (vhost-user protocol, "Message Specification"). Every number is little-endian: the protocol says "byte
/// order of the machine" and this project runs on x86-64. Readers get a span of the exact size that the request table demanded.
/// </summary>
public static class VhostUserCodec
{
    private const int RegionBytes = 32;
    private const int MemoryTablePrefixBytes = 8;

    /// <summary>Reads a header: only its flags are judged here, the rest by the session's table.</summary>
    public static VhostUserFault ReadHeader(ReadOnlySpan<byte> bytes, out MessageHeader header)
    {
        header = new MessageHeader((FrontendRequest)U32(bytes, 0), (MessageFlags)U32(bytes, 4), U32(bytes, 8));
        bool sound = (header.Flags & ~(MessageFlags.Reply | MessageFlags.NeedReply)) == MessageFlags.Version1;
        return sound ? VhostUserFault.None : VhostUserFault.BadHeaderFlags;
    }

    public static void WriteHeader(Span<byte> bytes, in MessageHeader header)
    {
        Put32(bytes, 0, (uint)header.Request);
        Put32(bytes, 4, (uint)header.Flags);
        Put32(bytes, 8, header.PayloadBytes);
    }

    public static ulong ReadValue(ReadOnlySpan<byte> payload) => U64(payload, 0);

    public static void WriteValue(Span<byte> payload, ulong value) => Put64(payload, 0, value);

    public static RingState ReadRingState(ReadOnlySpan<byte> payload) => new(U32(payload, 0), U32(payload, 4));

    public static void WriteRingState(Span<byte> payload, in RingState state)
    {
        Put32(payload, 0, state.Index);
        Put32(payload, 4, state.Value);
    }

    public static RingAddresses ReadRingAddresses(ReadOnlySpan<byte> payload) => new(
        U32(payload, 0), U32(payload, 4), new UserAddress(U64(payload, 8)), new UserAddress(U64(payload, 16)), new UserAddress(U64(payload, 24)));

    /// <summary>Writes the addresses; the log address is zero (logging is for live migration, which is not offered).</summary>
    public static void WriteRingAddresses(Span<byte> payload, in RingAddresses addresses)
    {
        Put32(payload, 0, addresses.Index);
        Put32(payload, 4, addresses.Flags);
        Put64(payload, 8, addresses.Descriptors.Value);
        Put64(payload, 16, addresses.Used.Value);
        Put64(payload, 24, addresses.Available.Value);
        Put64(payload, 32, 0);
    }

    /// <summary>Bits above the no-fd bit are reserved: <see cref="VhostUserFault.BadValue"/>.</summary>
    public static VhostUserFault ReadRingEvent(ReadOnlySpan<byte> payload, out RingEvent ringEvent)
    {
        ulong value = U64(payload, 0);
        ringEvent = new RingEvent((int)(value & 0xff), (value & RingEvent.NoFd) == 0);
        return (value & ~(RingEvent.NoFd | 0xff)) == 0 ? VhostUserFault.None : VhostUserFault.BadValue;
    }

    public static void WriteRingEvent(Span<byte> payload, in RingEvent ringEvent) =>
        Put64(payload, 0, (byte)ringEvent.Index | (ringEvent.HasFd ? 0 : RingEvent.NoFd));

    /// <summary>Reads a whole memory table. The count is held against the limit and the payload's size before a region is read.</summary>
    public static VhostUserFault ReadMemoryTable(ReadOnlySpan<byte> payload, out MemoryTable table)
    {
        table = default;
        uint count = U32(payload, 0);
        if (count is 0 or > VhostUserLimits.MaxMemoryRegions)
        {
            return VhostUserFault.BadMemoryTable;
        }

        // Frontends differ: some send room for all eight regions and fill the first ones.
        if (payload.Length < MemoryTablePrefixBytes + ((int)count * RegionBytes))
        {
            return VhostUserFault.BadPayloadSize;
        }

        for (int index = 0; index < (int)count; index++)
        {
            ReadOnlySpan<byte> bytes = payload.Slice(MemoryTablePrefixBytes + (index * RegionBytes), RegionBytes);
            if (!table.TryAdd(new MemoryTableRegion(U64(bytes, 0), U64(bytes, 8), new UserAddress(U64(bytes, 16)), U64(bytes, 24))))
            {
                return VhostUserFault.BadMemoryTable;
            }
        }

        return VhostUserFault.None;
    }

    /// <summary>Writes a memory table; the count of bytes written.</summary>
    public static int WriteMemoryTable(Span<byte> payload, in MemoryTable table)
    {
        Put32(payload, 0, (uint)table.Count);
        Put32(payload, 4, 0);
        for (int index = 0; index < table.Count; index++)
        {
            Span<byte> bytes = payload.Slice(MemoryTablePrefixBytes + (index * RegionBytes), RegionBytes);
            MemoryTableRegion region = table[index];
            Put64(bytes, 0, region.GuestStart);
            Put64(bytes, 8, region.LengthBytes);
            Put64(bytes, 16, region.UserStart.Value);
            Put64(bytes, 24, region.FileOffset);
        }

        return MemoryTablePrefixBytes + (table.Count * RegionBytes);
    }

    /// <summary>Reads the three words before configuration bytes; the range must fit the protocol's maximum and the payload must hold it.</summary>
    public static VhostUserFault ReadConfigRange(ReadOnlySpan<byte> payload, out ConfigRange range)
    {
        range = new ConfigRange(U32(payload, 0), U32(payload, 4), U32(payload, 8));
        return range.LengthBytes <= VhostUserLimits.MaxConfigBytes && payload.Length == ConfigRange.SizeBytes + (int)range.LengthBytes
            ? VhostUserFault.None
            : VhostUserFault.BadPayloadSize;
    }

    public static void WriteConfigRange(Span<byte> payload, in ConfigRange range)
    {
        Put32(payload, 0, range.OffsetBytes);
        Put32(payload, 4, range.LengthBytes);
        Put32(payload, 8, range.Flags);
    }

    public static InflightArea ReadInflight(ReadOnlySpan<byte> payload) => new(
        U64(payload, 0), U64(payload, 8), BinaryPrimitives.ReadUInt16LittleEndian(payload[16..]), BinaryPrimitives.ReadUInt16LittleEndian(payload[18..]));

    /// <summary>Writes the description and clears what is left of the payload.</summary>
    public static void WriteInflight(Span<byte> payload, in InflightArea area)
    {
        payload.Clear();
        Put64(payload, 0, area.SizeBytes);
        Put64(payload, 8, area.OffsetBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(payload[16..], area.QueueCount);
        BinaryPrimitives.WriteUInt16LittleEndian(payload[18..], area.QueueSize);
    }

    private static uint U32(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[offset..]);

    private static ulong U64(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[offset..]);

    private static void Put32(Span<byte> bytes, int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(bytes[offset..], value);

    private static void Put64(Span<byte> bytes, int offset, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(bytes[offset..], value);
}
