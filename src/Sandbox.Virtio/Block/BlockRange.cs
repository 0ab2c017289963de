using System.Buffers.Binary;
using Sandbox.Memory;

namespace Sandbox.Virtio.Block;

/// <summary>One run of a discard or write-zeroes (struct virtio_blk_discard_write_zeroes, virtio 1.2 §5.2.6), checked.</summary>
public readonly record struct BlockRange(ulong OffsetBytes, ulong LengthBytes, bool MayUnmap)
{
    internal const int SizeBytes = 16;

    /// <summary>2 GiB: bounds the time of one fallocate. The driver is told (max_discard_sectors, max_write_zeroes_sectors) and held to it.</summary>
    internal const uint MaxSectors = 0x40_0000;

    private const uint FlagUnmap = 1;

    /// <summary>Takes the next run off the readable part, which <see cref="BlockRequest"/> has measured.</summary>
    public static BlockStatus Take(GuestVector ranges, BlockOperation operation, in BlockGeometry disk, out BlockRange range)
    {
        ArgumentNullException.ThrowIfNull(ranges);
        range = default;
        Span<byte> copy = stackalloc byte[SizeBytes];
        if (!ranges.TryTake(copy))
        {
            return BlockStatus.IoError;
        }

        ulong sector = BinaryPrimitives.ReadUInt64LittleEndian(copy);
        ulong length = (ulong)BinaryPrimitives.ReadUInt32LittleEndian(copy[8..]) * BlockGeometry.SectorBytes;
        uint flags = BinaryPrimitives.ReadUInt32LittleEndian(copy[12..]);
        // §5.2.6.2: reserved flags, and unmap with a discard, are answered "unsupported".
        uint allowed = operation == BlockOperation.WriteZeroes ? FlagUnmap : 0;
        if ((flags & ~allowed) != 0)
        {
            return BlockStatus.Unsupported;
        }

        if (length > MaxSectors * BlockGeometry.SectorBytes || !disk.TryLocate(sector, length, out ulong offset))
        {
            return BlockStatus.IoError;
        }

        range = new BlockRange(offset, length, flags == FlagUnmap);
        return BlockStatus.Ok;
    }
}
