using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Virtio.Block;

namespace Sandbox.Device.Block;

/// <summary>
/// The file behind a disk. Every failure of the host becomes an I/O error of the guest: no space, a bad medium, a file cut short. Several
/// threads use it at once: but for one answer of the file system, which the main thread alone remembers, it has no state.
/// </summary>
/// <param name="fd">Borrowed.</param>
/// <param name="direct">It is open past the page cache (O_DIRECT).</param>
internal sealed class BlockBacking(int fd, bool direct)
{
    private bool _tellsWhatWaits = !direct; // past the page cache everything does

    /// <summary>Every transfer waits for the medium.</summary>
    public bool IsDirect => direct;

    /// <summary>
    /// Reads what is in memory and no more (RWF_NOWAIT). True: that was all of it. What is missing, and whatever else may be, is for
    /// <see cref="Read"/> to find out. The main thread only.
    /// </summary>
    public bool TryReadAtOnce(BlockJob job)
    {
        if (!_tellsWhatWaits)
        {
            return false;
        }

        GuestVector target = job.Chain.Writable;
        long count = target.ReadFrom(fd, (long)(job.Request.OffsetBytes + job.Written), mayWait: false);
        if (count == -(int)Errno.EOPNOTSUPP)
        {
            _tellsWhatWaits = false;
        }

        job.Written += (uint)Math.Max(count, 0);
        job.Status = BlockStatus.Ok;
        return target.IsEmpty;
    }

    public BlockStatus Read(BlockJob job)
    {
        GuestVector target = job.Chain.Writable;
        while (!target.IsEmpty)
        {
            ulong offset = job.Request.OffsetBytes + job.Written;
            long count = target.ReadFrom(fd, (long)offset, mayWait: true);
            if (count == -(int)Errno.EINVAL && job.Bounce is not null)
            {
                count = job.Bounce.Read(fd, target, offset);
            }

            if (count <= 0)
            {
                return BlockStatus.IoError; // end of file too: the capacity promised more
            }

            job.Written += (uint)count;
        }

        return BlockStatus.Ok;
    }

    public BlockStatus Write(BlockJob job)
    {
        GuestVector source = job.Chain.Readable;
        ulong offset = job.Request.OffsetBytes;
        while (!source.IsEmpty)
        {
            long count = source.WriteTo(fd, (long)offset);
            if (count == -(int)Errno.EINVAL && job.Bounce is not null)
            {
                count = job.Bounce.Write(fd, source, offset);
            }

            if (count <= 0)
            {
                return BlockStatus.IoError;
            }

            offset += (ulong)count;
        }

        return BlockStatus.Ok;
    }

    public BlockStatus Flush() => Judge(FileRange.Sync(fd));

    /// <summary>Discards or zeroes each run. What was done before the host refused one stays done.</summary>
    public BlockStatus Clear(BlockJob job)
    {
        foreach (ref readonly BlockRange range in job.Ranges)
        {
            BlockStatus status = Judge(Punches(job.Request.Operation, range)
                ? FileRange.Discard(fd, range.OffsetBytes, range.LengthBytes)
                : FileRange.Zero(fd, range.OffsetBytes, range.LengthBytes));
            if (status != BlockStatus.Ok)
            {
                return status;
            }
        }

        return BlockStatus.Ok;
    }

    /// <summary>A punched hole reads as zero, so write-zeroes with "may unmap" is a discard that must succeed.</summary>
    public static bool Punches(BlockOperation operation, in BlockRange range) => operation == BlockOperation.Discard || range.MayUnmap;

    private static BlockStatus Judge(int result) => result switch
    {
        0 => BlockStatus.Ok,
        -(int)Errno.EOPNOTSUPP => BlockStatus.Unsupported,
        _ => BlockStatus.IoError,
    };
}
