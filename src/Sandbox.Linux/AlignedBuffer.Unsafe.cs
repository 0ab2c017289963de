using System.Runtime.InteropServices;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Sandbox.Linux;

/// <summary>
/// Bytes that begin at a multiple of their alignment and never move: what O_DIRECT demands (open(2)). Allocated once. Read and written by the
/// vectored calls, because those are what a block device's filter grants anyway.
/// </summary>
public sealed unsafe class AlignedBuffer
{
    private readonly byte[] _memory;
    private readonly int _lengthBytes;
    private readonly int _alignment;

    /// <param name="lengthBytes">Length.</param>
    /// <param name="alignment">A power of two.</param>
    public AlignedBuffer(int lengthBytes, int alignment)
    {
        // Held by a handle that is never freed, not allocated as pinned: the heap for those is none that a process commits before its filter (QuietRuntime).
        _memory = GC.AllocateUninitializedArray<byte>(lengthBytes + alignment);
        _ = GCHandle.Alloc(_memory, GCHandleType.Pinned);
        (_lengthBytes, _alignment) = (lengthBytes, alignment);
    }

    /// <summary>All of it.</summary>
    public Span<byte> Bytes
    {
        get
        {
            // SAFETY: the array is pinned for its life, so its address is a number that stays true; only the number is used.
            fixed (byte* start = _memory)
            {
                int skip = (int)(unchecked(0 - (nuint)start) & (nuint)(_alignment - 1));
                return _memory.AsSpan(skip, _lengthBytes);
            }
        }
    }

    /// <summary>preadv2(2) into the first <paramref name="count"/> bytes, again on EINTR: how many came, or the negated error number.</summary>
    public int ReadAt(int fd, int count, long offset) => Transfer(fd, count, offset, write: false);

    /// <summary>pwritev(2) of the first <paramref name="count"/> bytes, again on EINTR: how many went, or the negated error number.</summary>
    public int WriteAt(int fd, int count, long offset) => Transfer(fd, count, offset, write: true);

    private int Transfer(int fd, int count, long offset, bool write)
    {
        // SAFETY: the span checks count; the kernel touches exactly these bytes, pinned for the call.
        fixed (byte* start = Bytes[..count])
        {
            iovec vector = new() { iov_base = start, iov_len = count };
            while (true)
            {
                nint done = write ? pwritev(fd, &vector, 1, offset) : preadv2(fd, &vector, 1, offset, 0);
                if (done >= 0)
                {
                    return (int)done;
                }

                if (errno != EINTR)
                {
                    return -errno;
                }
            }
        }
    }

    // SAFETY: declarations only.
    [DllImport("libc", SetLastError = true)]
    private static extern nint preadv2(int fd, iovec* vector, int count, long offset, int flags);

    [DllImport("libc", SetLastError = true)]
    private static extern nint pwritev(int fd, iovec* vector, int count, long offset);
}
