using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Sandbox.Linux;

/// <summary>eventfd(2): a counter that wakes its reader. Non-blocking and close-on-exec.</summary>
public static unsafe class EventFd
{
    /// <summary>A new counter at zero.</summary>
    public static FdHandle Create() => Create(EFD_CLOEXEC | EFD_NONBLOCK);

    /// <summary>One whose reader waits until the counter is not zero.</summary>
    public static FdHandle CreateBlocking() => Create(EFD_CLOEXEC);

    private static FdHandle Create(int flags)
    {
        int fd = eventfd(0, flags);
        return fd >= 0 ? new FdHandle(fd) : throw new LinuxException("eventfd", (Errno)errno);
    }

    /// <summary>Adds one. A full counter (EAGAIN) already wakes the reader and is no error. 0, or the negated error number.</summary>
    public static int Signal(int fd)
    {
        ulong one = 1;
        // SAFETY: eight bytes of a local.
        if ((long)write(fd, &one, sizeof(ulong)) == sizeof(ulong) || errno == EAGAIN)
        {
            return 0;
        }

        return -errno;
    }

    /// <summary>Takes the count and sets it to zero: true when it was not zero.</summary>
    public static bool TryConsume(int fd)
    {
        ulong count;
        // SAFETY: eight bytes of a local.
        return (long)read(fd, &count, sizeof(ulong)) == sizeof(ulong);
    }
}
