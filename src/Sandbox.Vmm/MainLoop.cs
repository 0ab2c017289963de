using Sandbox.Control;
using Sandbox.Control.Launch;
using Sandbox.Linux;

namespace Sandbox.Vmm;

/// <summary>What the main thread does while the guest runs: wait for the end, from whichever side it comes.</summary>
internal static class MainLoop
{
    private const ulong ControlTag = 0;
    private const ulong EndTag = 1;

    /// <summary>Returns once there is a reason to end; it is in <paramref name="end"/>.</summary>
    public static void Run(EndLatch end)
    {
        using Epoll epoll = new();
        epoll.Add(InheritedFds.Control, EpollEvents.Readable | EpollEvents.PeerClosed, ControlTag);
        epoll.Add(end.Fd, EpollEvents.Readable, EndTag);
        Span<EpollReady> ready = stackalloc EpollReady[2];
        while (!end.IsSet)
        {
            int count = LinuxException.Check(epoll.Wait(ready, timeoutMilliseconds: -1), "epoll_wait");
            foreach (ref readonly EpollReady entry in ready[..count])
            {
                // Nothing more is ever sent this way: a byte is as good as the end of the stream.
                if (entry.Tag == ControlTag)
                {
                    end.Set(EndReason.LauncherGone);
                }
            }
        }
    }
}
