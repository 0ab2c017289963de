using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.VhostUser;

namespace Sandbox.Device;

/// <summary>The process's main thread: launcher, frontend, driver and backing fds in one epoll set. Only a disk has others, which see none of these.</summary>
internal sealed class DeviceLoop
{
    private readonly Epoll _epoll;
    private readonly VirtioDevice _device;
    private readonly VhostUserBackend _backend;

    public DeviceLoop(Epoll epoll, VirtioDevice device, ControlSocket control, int vhostUserFd, BackendInflight inflight)
    {
        _epoll = epoll;
        _device = device;
        _backend = new VhostUserBackend(vhostUserFd, device, epoll, inflight);
        epoll.Add(control.Fd, EpollEvents.Readable, LoopTag.Of(LoopSource.Control, 0));
        epoll.Add(vhostUserFd, EpollEvents.Readable, LoopTag.Of(LoopSource.VhostUser, 0));
    }

    /// <summary>Serves until launcher or frontend goes away or the frontend breaks the protocol.</summary>
    public Ended Run()
    {
        Span<EpollReady> ready = stackalloc EpollReady[32];
        bool more = false;
        while (true)
        {
            int count = LinuxException.Check(_epoll.Wait(ready, more ? 0 : _device.WaitMilliseconds), "epoll_wait");
            foreach (EpollReady entry in ready[..count])
            {
                int index = LoopTag.IndexOf(entry.Tag);
                switch (LoopTag.SourceOf(entry.Tag))
                {
                    case LoopSource.Control:
                        if (!_device.TryHearLauncher())
                        {
                            return new Ended(EndReason.LauncherGone, 0, "");
                        }

                        break;
                    case LoopSource.VhostUser:
                        if (!_backend.Receive())
                        {
                            return EndOfSession();
                        }

                        break;
                    case LoopSource.Kick:
                        Kicked(_device.Queues[index]);
                        break;
                    default:
                        const EpollEvents Gone = EpollEvents.Error | EpollEvents.HangUp; // the next read or write tells which
                        _device.BackingReady(
                            index,
                            (entry.Events & (EpollEvents.Readable | Gone)) != 0,
                            (entry.Events & (EpollEvents.Writable | Gone)) != 0);
                        break;
                }
            }

            more = _device.Work();
            for (int index = 0; index < _device.Queues.Length; index++)
            {
                _device.Queues[index].ReportFault(index);
            }
        }
    }

    // The ring may have been stopped by a message in the same round: then its kick is closed or no longer watched.
    private static void Kicked(DeviceQueue queue)
    {
        if (queue.KickFd >= 0 && queue.Ring.IsConfigured)
        {
            _ = EventFd.TryConsume(queue.KickFd);
        }
    }

    // The launcher takes the last word for the end of what is done to the backing: nothing is in work any more when it is said.
    private Ended EndOfSession()
    {
        for (int index = 0; index < _device.Queues.Length; index++)
        {
            _device.QueueStopping(index);
        }

        return Judge();
    }

    private Ended Judge() => _backend.Fault == VhostUserFault.None
        ? new Ended(EndReason.GuestShutdown, 0, "the frontend closed its socket")
        : new Ended(EndReason.FrontendFault, (ulong)_backend.Fault, $"vhost-user {_backend.LastRequest}: {_backend.Fault}");
}
