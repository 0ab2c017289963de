using System.Buffers.Binary;
using Sandbox.Memory;

namespace Sandbox.Virtio.Block;

/// <summary>What is to be done. The values are the device's own, not the driver's.</summary>
public enum BlockOperation
{
    /// <summary>Nothing but the answer: <see cref="BlockRequest.Status"/> already says which.</summary>
    Answer = 0,
    Read,
    Write,
    Flush,
    GetId,
    Discard,
    WriteZeroes,
}

/// <summary>
/// One request (virtio 1.2 §5.2.6), checked. The data is what is left of the chain: its readable part for a write, discard or
/// write-zeroes, its writable part for a read or get-id.
/// </summary>
public readonly record struct BlockRequest(BlockOperation Operation, BlockStatus Status, ulong OffsetBytes, GuestSlice StatusByte)
{
    /// <summary>type, reserved, sector.</summary>
    public const int HeaderBytes = 16;

    /// <summary>The string of VIRTIO_BLK_T_GET_ID.</summary>
    public const int IdBytes = 20;

    /// <summary>The most runs one discard or write-zeroes may name: max_discard_seg and max_write_zeroes_seg.</summary>
    public const int MaxRanges = 16;

    private const uint TypeIn = 0;
    private const uint TypeOut = 1;
    private const uint TypeFlush = 4;
    private const uint TypeGetId = 8;
    private const uint TypeDiscard = 11;
    private const uint TypeWriteZeroes = 13;

    /// <summary>Copies the header once and checks the copy against the chain and the disk. False: there is no place to put an answer.</summary>
    public static bool TryParse(DescriptorChain chain, in BlockGeometry disk, out BlockRequest request)
    {
        ArgumentNullException.ThrowIfNull(chain);
        request = default;
        Span<byte> header = stackalloc byte[HeaderBytes];
        // The status is the last device-writable byte, however large the buffer it came in (§5.2.6, §2.7.4).
        if (!chain.Writable.TrySplitLastByte(out GuestSlice status) || !chain.Readable.TryTake(header))
        {
            return false;
        }

        uint type = BinaryPrimitives.ReadUInt32LittleEndian(header);
        ulong sector = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
        BlockOperation operation = Decide(type, sector, chain, disk, out BlockStatus verdict, out ulong offset);
        request = new BlockRequest(verdict == BlockStatus.Ok ? operation : BlockOperation.Answer, verdict, offset, status);
        return true;
    }

    private static BlockOperation Decide(uint type, ulong sector, DescriptorChain chain, in BlockGeometry disk, out BlockStatus verdict, out ulong offset)
    {
        offset = 0;
        ulong readable = chain.Readable.LengthBytes;
        ulong writable = chain.Writable.LengthBytes;
        switch (type)
        {
            case TypeIn:
                verdict = Sound(readable == 0 && IsWhole(writable) && disk.TryLocate(sector, writable, out offset));
                return BlockOperation.Read;
            case TypeOut:
                verdict = Sound(!disk.ReadOnly && writable == 0 && IsWhole(readable) && disk.TryLocate(sector, readable, out offset));
                return BlockOperation.Write;
            case TypeFlush:
                verdict = Sound(readable == 0 && writable == 0);
                return BlockOperation.Flush;
            case TypeGetId:
                verdict = Sound(readable == 0 && writable >= IdBytes);
                return BlockOperation.GetId;
            case TypeDiscard when (disk.Features & BlockFeatureBits.Discard) != 0:
                verdict = Sound(!disk.ReadOnly && writable == 0 && IsRangeList(readable));
                return BlockOperation.Discard;
            case TypeWriteZeroes when (disk.Features & BlockFeatureBits.WriteZeroes) != 0:
                verdict = Sound(!disk.ReadOnly && writable == 0 && IsRangeList(readable));
                return BlockOperation.WriteZeroes;
            default:
                verdict = BlockStatus.Unsupported;
                return BlockOperation.Answer;
        }
    }

    private static BlockStatus Sound(bool sound) => sound ? BlockStatus.Ok : BlockStatus.IoError;

    private static bool IsWhole(ulong lengthBytes) => lengthBytes % BlockGeometry.SectorBytes == 0;

    // Judged by length alone, before a single range is read: a list of millions costs nothing.
    private static bool IsRangeList(ulong lengthBytes) =>
        lengthBytes != 0 && lengthBytes % BlockRange.SizeBytes == 0 && lengthBytes <= MaxRanges * BlockRange.SizeBytes;
}
