using System.Buffers.Binary;
using System.Numerics;

namespace Sandbox.Virtio.Block;

/// <summary>struct virtio_blk_config (virtio 1.2 §5.2.4), as bytes.</summary>
public static class BlockConfigSpace
{
    public const int SizeBytes = 60;

    /// <summary>Two for header and status in a queue of 256; the driver never sends more buffers than this in one request.</summary>
    public const uint MaxSegments = 254;

    /// <summary>Where "writeback" lies: one byte, 0 or 1, the only field that a driver may write (with VIRTIO_BLK_F_CONFIG_WCE).</summary>
    public const int WritebackOffset = 32;

    private const int PhysicalBlockBytes = 4096; // what host file systems allocate in
    private const int SectorsPerPhysicalBlock = PhysicalBlockBytes / (int)BlockGeometry.SectorBytes;

    /// <summary>Writes the whole space. A logical block is 512 to 4096 bytes, a power of two.</summary>
    public static void Write(Span<byte> space, ulong capacityBytes, int queueCount = 1, uint logicalBlockBytes = BlockGeometry.SectorBytes)
    {
        uint blocksPerPhysical = PhysicalBlockBytes / logicalBlockBytes;
        space[..SizeBytes].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(space, capacityBytes / BlockGeometry.SectorBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(space[12..], MaxSegments);
        BinaryPrimitives.WriteUInt32LittleEndian(space[20..], logicalBlockBytes);
        space[24] = (byte)BitOperations.Log2(blocksPerPhysical); // topology.physical_block_exp
        BinaryPrimitives.WriteUInt16LittleEndian(space[26..], (ushort)blocksPerPhysical); // min_io_size in logical blocks
        space[WritebackOffset] = 1; // what is written is volatile until a flush, unless the driver says otherwise (§5.2.5.2)
        BinaryPrimitives.WriteUInt16LittleEndian(space[34..], (ushort)queueCount); // num_queues
        BinaryPrimitives.WriteUInt32LittleEndian(space[36..], BlockRange.MaxSectors); // max_discard_sectors
        BinaryPrimitives.WriteUInt32LittleEndian(space[40..], BlockRequest.MaxRanges); // max_discard_seg
        BinaryPrimitives.WriteUInt32LittleEndian(space[44..], SectorsPerPhysicalBlock); // discard_sector_alignment
        BinaryPrimitives.WriteUInt32LittleEndian(space[48..], BlockRange.MaxSectors); // max_write_zeroes_sectors
        BinaryPrimitives.WriteUInt32LittleEndian(space[52..], BlockRequest.MaxRanges); // max_write_zeroes_seg
        space[56] = 1; // write_zeroes_may_unmap
    }
}
