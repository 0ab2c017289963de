using Sandbox.Linux;

namespace Sandbox.Device;

/// <summary>Which backing fds a device waits for. Nothing is watched that nobody waits for: a closed peer would otherwise wake the loop for ever.</summary>
internal sealed class BackingWatch(Epoll epoll)
{
    /// <summary>A vsock device's connections: its ports, and the further slots of the host's.</summary>
    internal const int Capacity = Sandbox.Control.Launch.LaunchLimits.MaxVsockPorts + Vsock.VsockDevice.Slots;

    private readonly EpollEvents[] _watched = new EpollEvents[Capacity];

    /// <summary>An eventfd that wakes the loop by each signal and is read by nobody: what it tells of is looked for at every turn.</summary>
    public void AddSignals(int index, int eventFd) =>
        epoll.Add(eventFd, EpollEvents.Readable | EpollEvents.EdgeTriggered, LoopTag.Of(LoopSource.Backing, index));

    public void Set(int index, int fd, bool readable, bool writable)
    {
        EpollEvents events = (readable ? EpollEvents.Readable : EpollEvents.None) | (writable ? EpollEvents.Writable : EpollEvents.None);
        EpollEvents before = _watched[index];
        if (events == before)
        {
            return;
        }

        _watched[index] = events;
        ulong tag = LoopTag.Of(LoopSource.Backing, index);
        if (before == EpollEvents.None)
        {
            epoll.Add(fd, events, tag);
        }
        else if (events == EpollEvents.None)
        {
            LinuxException.Check(epoll.Remove(fd), "epoll_ctl remove");
        }
        else
        {
            LinuxException.Check(epoll.Modify(fd, events, tag), "epoll_ctl modify");
        }
    }
}
