using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Sandbox.Linux;

/// <summary>Reads and writes on a borrowed fd number. Every method returns a count, or the negated error number; none allocates or throws.</summary>
public static unsafe class FdIo
{
    /// <summary>read(2), again on EINTR. 0 is end of file.</summary>
    public static int Read(int fd, Span<byte> buffer)
    {
        // SAFETY: the kernel writes at most buffer.Length bytes; the span is pinned for the call.
        fixed (byte* pointer = buffer)
        {
            while (true)
            {
                ssize_t count = read(fd, pointer, buffer.Length);
                if (count >= 0)
                {
                    return (int)count;
                }

                if (errno != EINTR)
                {
                    return -errno;
                }
            }
        }
    }

    /// <summary>pread(2), again on EINTR. 0 is end of file.</summary>
    public static int ReadAt(int fd, Span<byte> buffer, long offset)
    {
        // SAFETY: as in Read.
        fixed (byte* pointer = buffer)
        {
            while (true)
            {
                ssize_t count = pread(fd, pointer, buffer.Length, offset);
                if (count >= 0)
                {
                    return (int)count;
                }

                if (errno != EINTR)
                {
                    return -errno;
                }
            }
        }
    }

    /// <summary>write(2), again on EINTR; may write less than asked.</summary>
    public static int Write(int fd, ReadOnlySpan<byte> buffer)
    {
        // SAFETY: the kernel reads at most buffer.Length bytes; the span is pinned for the call.
        fixed (byte* pointer = buffer)
        {
            while (true)
            {
                ssize_t count = write(fd, pointer, buffer.Length);
                if (count >= 0)
                {
                    return (int)count;
                }

                if (errno != EINTR)
                {
                    return -errno;
                }
            }
        }
    }

    /// <summary>Writes the whole buffer to a blocking fd. 0, or the negated error number.</summary>
    public static int WriteAll(int fd, ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            int count = Write(fd, buffer);
            if (count <= 0)
            {
                return count == 0 ? -(int)Errno.EIO : count;
            }

            buffer = buffer[count..];
        }

        return 0;
    }

    /// <summary>Reads until the buffer is full or the file ends: the count read, or the negated error number.</summary>
    public static int ReadFull(int fd, Span<byte> buffer)
    {
        int done = 0;
        while (done < buffer.Length)
        {
            int count = Read(fd, buffer[done..]);
            if (count < 0)
            {
                return count;
            }

            if (count == 0)
            {
                break;
            }

            done += count;
        }

        return done;
    }

    /// <summary>close(2). Not repeated on EINTR: Linux has closed the fd by then.</summary>
    public static int Close(int fd) => close(fd) == 0 ? 0 : -errno;

    /// <summary>Sets or clears O_NONBLOCK.</summary>
    public static int SetNonBlocking(int fd, bool on)
    {
        int flags = fcntl(fd, F_GETFL);
        if (flags < 0)
        {
            return -errno;
        }

        flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
        return fcntl(fd, F_SETFL, flags) == 0 ? 0 : -errno;
    }

    /// <summary>A close-on-exec duplicate of a borrowed fd.</summary>
    public static FdHandle Duplicate(int fd)
    {
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        return copy >= 0 ? new FdHandle(copy) : throw new LinuxException("fcntl F_DUPFD_CLOEXEC", (Errno)errno);
    }
}
