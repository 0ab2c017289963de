using Sandbox.Control;
using Sandbox.Control.Launch;
using Sandbox.Linux;

namespace Sandbox.Vmm;

/// <summary>What the main thread does while the guest runs: wait for the end, from whichever side it comes.</summary>
internal static class MainLoop
{
    private const ulong ControlTag = 0;
    private const ulong EndTag = 1;
    private const ulong FirstDeviceTag = 2;

    /// <summary>Returns once there is a reason to end; it is in <paramref name="end"/>.</summary>
    /// <param name="devices">The spec's devices: a socket that closes means that a backend has died.</param>
    /// <param name="end">Where the reason is, or is put.</param>
    public static void Run(IReadOnlyList<VmmDevice> devices, EndLatch end)
    {
        using Epoll epoll = new();
        epoll.Add(InheritedFds.Control, EpollEvents.Readable | EpollEvents.PeerClosed, ControlTag);
        epoll.Add(end.Fd, EpollEvents.Readable, EndTag);
        for (int index = 0; index < devices.Count; index++)
        {
            // Only its closing: answers are for whoever asked.
            epoll.Add(InheritedFds.VmmFirstDevice + index, EpollEvents.PeerClosed, FirstDeviceTag + (ulong)index);
        }

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
                else if (entry.Tag >= FirstDeviceTag)
                {
                    ulong place = entry.Tag - FirstDeviceTag;
                    end.Set(EndReason.BackendLost, place, $"device {place} ({devices[(int)place].Kind}): backend closed its vhost-user socket");
                }
            }
        }
    }
}
