using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Virtio.Block;

namespace Sandbox.Device.Block;

/// <summary>The file behind a disk. Every failure of the host becomes an I/O error of the guest: no space, a bad medium, a file cut short.</summary>
/// <param name="fd">Borrowed.</param>
/// <param name="direct">It is open past the page cache (O_DIRECT).</param>
internal sealed class BlockBacking(int fd, bool direct)
{
    private readonly BounceBuffer? _bounce = direct ? new() : null;
    private readonly BlockRange[] _ranges = new BlockRange[BlockRequest.MaxRanges];

    /// <summary>Each write is on the medium before it is answered.</summary>
    public bool SyncEveryWrite { get; set; }

    public BlockStatus Read(GuestVector target, ulong offset, out uint written)
    {
        written = 0;
        while (!target.IsEmpty)
        {
            long count = target.ReadFrom(fd, (long)offset);
            if (count == -(int)Errno.EINVAL && _bounce is not null)
            {
                count = _bounce.Read(fd, target, offset);
            }

            if (count <= 0)
            {
                return BlockStatus.IoError; // end of file too: the capacity promised more
            }

            offset += (ulong)count;
            written += (uint)count;
        }

        return BlockStatus.Ok;
    }

    public BlockStatus Write(GuestVector source, ulong offset)
    {
        while (!source.IsEmpty)
        {
            long count = source.WriteTo(fd, (long)offset);
            if (count == -(int)Errno.EINVAL && _bounce is not null)
            {
                count = _bounce.Write(fd, source, offset);
            }

            if (count <= 0)
            {
                return BlockStatus.IoError;
            }

            offset += (ulong)count;
        }

        return SyncEveryWrite ? Flush() : BlockStatus.Ok;
    }

    public BlockStatus Flush() => Judge(FileRange.Sync(fd));

    /// <summary>Discards or zeroes each run of a list. A list with a bad run changes nothing; what was done before the host refused one stays done.</summary>
    /// <param name="ranges">The list.</param>
    /// <param name="operation">Discard or WriteZeroes.</param>
    /// <param name="disk">What the runs must lie in.</param>
    /// <param name="zeroedBytes">What may have been written: a hole is none.</param>
    public BlockStatus Clear(GuestVector ranges, BlockOperation operation, in BlockGeometry disk, out ulong zeroedBytes)
    {
        zeroedBytes = 0;
        int count = 0;
        while (!ranges.IsEmpty)
        {
            // BlockRequest has held the list to MaxRanges.
            BlockStatus status = BlockRange.Take(ranges, operation, disk, out _ranges[count++]);
            if (status != BlockStatus.Ok)
            {
                return status;
            }
        }

        foreach (BlockRange range in _ranges.AsSpan(0, count))
        {
            // A punched hole reads as zero, so write-zeroes with "may unmap" is a discard that must succeed.
            bool punches = operation == BlockOperation.Discard || range.MayUnmap;
            zeroedBytes += punches ? 0 : range.LengthBytes;
            BlockStatus status = Judge(punches
                ? FileRange.Discard(fd, range.OffsetBytes, range.LengthBytes)
                : FileRange.Zero(fd, range.OffsetBytes, range.LengthBytes));
            if (status != BlockStatus.Ok)
            {
                return status;
            }
        }

        return SyncEveryWrite ? Flush() : BlockStatus.Ok;
    }

    private static BlockStatus Judge(int result) => result switch
    {
        0 => BlockStatus.Ok,
        -(int)Errno.EOPNOTSUPP => BlockStatus.Unsupported,
        _ => BlockStatus.IoError,
    };
}
