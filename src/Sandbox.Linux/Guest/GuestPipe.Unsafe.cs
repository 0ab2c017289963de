namespace Sandbox.Linux.Guest;

/// <summary>pipe2(2) and what is in a pipe.</summary>
public static unsafe class GuestPipe
{
    private const int CloseOnExec = 0x80000; // O_CLOEXEC
    private const nuint BytesReadable = 0x541B; // FIONREAD

    /// <summary>A blocking, close-on-exec pipe.</summary>
    /// <exception cref="LinuxException">No fd is left.</exception>
    public static (FdHandle Read, FdHandle Write) Create()
    {
        int* pair = stackalloc int[2];
        LinuxException.Check(GuestLibc.Result(GuestLibc.pipe2(pair, CloseOnExec)), "pipe2"); // SAFETY: the kernel writes two ints.
        return (new FdHandle(pair[0]), new FdHandle(pair[1]));
    }

    /// <summary>Bytes in the pipe now, or the negated error number.</summary>
    public static int CountReadable(FdHandle pipe)
    {
        int count = 0;
        int result = GuestLibc.Result(GuestLibc.ioctl(pipe.Number, BytesReadable, &count)); // SAFETY: the kernel writes one int.
        return result < 0 ? result : count;
    }
}
