using Sandbox.Linux;
using Sandbox.Memory;

namespace Sandbox.Device.Block;

/// <summary>
/// For a file that is opened past the page cache: it demands aligned memory, and a driver's buffers need not be. Only those go through here,
/// with the one copy that this takes.
/// </summary>
internal sealed class BounceBuffer
{
    /// <summary>Enough for every medium (open(2), O_DIRECT); also the block that the driver is shown.</summary>
    public const int Alignment = 4096;

    private const int LengthBytes = 16 * 1024; // one for each thread: more would be memory for drivers that do not exist

    private readonly AlignedBuffer _buffer = new(LengthBytes, Alignment);

    /// <summary>As <see cref="GuestVector.ReadFrom(int, long, bool)"/>, for at most one buffer.</summary>
    public long Read(int fd, GuestVector target, ulong offset)
    {
        Span<byte> bytes = Piece(target);
        int count = _buffer.ReadAt(fd, bytes.Length, (long)offset);
        if (count > 0)
        {
            _ = target.TryPut(bytes[..count]); // never more than is left: the piece was cut to it
        }

        return count;
    }

    /// <summary>As <see cref="GuestVector.WriteTo"/>, for at most one buffer. What is written short is gone: an I/O error of the request.</summary>
    public long Write(int fd, GuestVector source, ulong offset)
    {
        Span<byte> bytes = Piece(source);
        _ = source.TryTake(bytes);
        int count = _buffer.WriteAt(fd, bytes.Length, (long)offset);
        return count == bytes.Length || count < 0 ? count : -(int)Errno.EIO;
    }

    private Span<byte> Piece(GuestVector vector) => _buffer.Bytes[..(int)Math.Min(LengthBytes, vector.LengthBytes)];
}
