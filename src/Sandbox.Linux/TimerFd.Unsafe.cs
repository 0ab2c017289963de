using System.Runtime.InteropServices;

namespace Sandbox.Linux;

/// <summary>timerfd(2): counts periods of CLOCK_MONOTONIC. Whoever may read(2) can tell time by it, without a call that asks a clock.</summary>
public static unsafe class TimerFd
{
    private const int Monotonic = 1; // CLOCK_MONOTONIC
    private const int NonBlocking = 0x800; // TFD_NONBLOCK
    private const int CloseOnExec = 0x80000; // TFD_CLOEXEC

    private const long NanosecondsPerMillisecond = 1_000_000;

    /// <summary>A timer that runs from now on. While nobody reads it, it costs nothing: the kernel counts the periods when it is asked.</summary>
    /// <param name="periodMilliseconds">1 to 999.</param>
    public static FdHandle Create(int periodMilliseconds)
    {
        FdHandle timer = new(LinuxException.Check(Open(Monotonic, NonBlocking | CloseOnExec), "timerfd_create"));
        // struct itimerspec: the period, and the time until the first end of one, each in seconds and nanoseconds.
        long* times = stackalloc long[] { 0, periodMilliseconds * NanosecondsPerMillisecond, 0, periodMilliseconds * NanosecondsPerMillisecond };
        // SAFETY: the kernel reads the four numbers; it is not asked for the old ones.
        LinuxException.Check(Set(timer.Number, 0, times, null) == 0 ? 0 : -Marshal.GetLastPInvokeError(), "timerfd_settime");
        return timer;
    }

    /// <summary>How many periods have ended since this was last asked.</summary>
    public static long TakePeriods(int fd)
    {
        long count = 0;
        // EAGAIN: none. Eight bytes or nothing.
        return FdIo.Read(fd, MemoryMarshal.AsBytes(new Span<long>(ref count))) == sizeof(long) ? count : 0;
    }

    private static int Open(int clock, int flags)
    {
        int fd = Create(clock, flags);
        return fd >= 0 ? fd : -Marshal.GetLastPInvokeError();
    }

    [DllImport("libc", EntryPoint = "timerfd_create", SetLastError = true)]
    private static extern int Create(int clock, int flags);

    [DllImport("libc", EntryPoint = "timerfd_settime", SetLastError = true)]
    private static extern int Set(int fd, int flags, long* times, long* oldTimes);
}
