using Sandbox.Control.Agent;
using Sandbox.Linux;
using Sandbox.Linux.Guest;

namespace Sandbox.Init.Boot;

/// <summary>Connects to the launcher through the vsock device.</summary>
internal static class HostConnection
{
    private const long GiveUpNanoseconds = 10_000_000_000;
    private const int RetryMilliseconds = 5;

    /// <summary>Tries until the device has come up: its driver may still be probing when the modules are loaded.</summary>
    public static FdHandle Open()
    {
        long start = MonotonicClock.Nanoseconds;
        while (true)
        {
            int fd = GuestVsock.Connect(GuestVsock.HostCid, AgentLimits.VsockPort);
            if (fd >= 0)
            {
                return new FdHandle(fd);
            }

            if (MonotonicClock.Nanoseconds - start > GiveUpNanoseconds)
            {
                throw new BootException(BootStage.Connect, "connect vsock to the host", (Errno)(-fd));
            }

            Thread.Sleep(RetryMilliseconds);
        }
    }
}
