using System.Diagnostics.CodeAnalysis;
using Sandbox.Linux;

namespace Sandbox.Device;

/// <summary>
/// Time since it was made, in steps of a millisecond, by read(2) on a timer: a process with a rate to hold, or a guest's vsock port to ask for, needs no call in its filter that asks
/// a clock, not even on a host whose processors cannot tell the time without one. Lives as long as the process.
/// </summary>
[SuppressMessage("Reliability", "CA1001", Justification = "Lives as long as the process.")]
internal sealed class TickClock
{
    private const int PeriodMilliseconds = 1;
    private const long NanosecondsPerMillisecond = 1_000_000;

    private readonly FdHandle _timer = TimerFd.Create(PeriodMilliseconds);
    private long _periods;

    private TickClock()
    {
    }

    /// <summary>A clock that begins at 0: nanoseconds.</summary>
    public static Func<long> Start() => new TickClock().Read;

    private long Read()
    {
        _periods += TimerFd.TakePeriods(_timer.Number);
        return _periods * PeriodMilliseconds * NanosecondsPerMillisecond;
    }
}
