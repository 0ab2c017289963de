using System.Diagnostics.CodeAnalysis;
using System.Text;
using Sandbox.Control;
using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Vmm.VirtioMmio;

namespace Sandbox.Vmm;

/// <summary>
/// What the main thread does while the guest runs: wait for the end, from whichever side it comes, and look after the devices whose
/// backends die or whose drivers break their rings. Neither is on the data path. Lives as long as the process.
/// </summary>
[SuppressMessage("Reliability", "CA1001", Justification = "Lives as long as the process.")]
internal sealed class MainLoop(List<AttachedDevice> devices, ControlChannel control, EndLatch end)
{
    private const ulong ControlTag = 0;
    private const ulong EndTag = 1;
    private const ulong FirstDeviceTag = 2;
    private const int StandardError = 2;

    private readonly Epoll _epoll = new(); // before the running filter: it makes nothing new
    private readonly ulong _firstErrorTag = FirstDeviceTag + (ulong)devices.Count;

    /// <summary>Returns once there is a reason to end; it is in the latch.</summary>
    public void Run()
    {
        _epoll.Add(InheritedFds.Control, EpollEvents.Readable | EpollEvents.PeerClosed, ControlTag);
        _epoll.Add(end.Fd, EpollEvents.Readable, EndTag);
        for (int index = 0; index < devices.Count; index++)
        {
            // Only its closing: answers are for whoever asked.
            _epoll.Add(devices[index].Socket, EpollEvents.PeerClosed, FirstDeviceTag + (ulong)index);
            _epoll.Add(devices[index].ErrorEvent, EpollEvents.Readable, _firstErrorTag + (ulong)index);
        }

        Span<EpollReady> ready = stackalloc EpollReady[2];
        while (!end.IsSet)
        {
            int count = LinuxException.Check(_epoll.Wait(ready, timeoutMilliseconds: -1), "epoll_wait");
            foreach (ref readonly EpollReady entry in ready[..count])
            {
                if (entry.Tag == ControlTag)
                {
                    TakeReplacement();
                }
                else if (entry.Tag >= _firstErrorTag)
                {
                    TakeRingFault(devices[(int)(entry.Tag - _firstErrorTag)]);
                }
                else if (entry.Tag >= FirstDeviceTag)
                {
                    LoseBackend((int)(entry.Tag - FirstDeviceTag));
                }
            }
        }

        foreach (AttachedDevice device in devices)
        {
            if (device.RingFaults > 1)
            {
                Say($"{device.Name}: {device.RingFaults} resets demanded in all");
            }
        }
    }

    private void LoseBackend(int place)
    {
        AttachedDevice device = devices[place];
        _ = _epoll.Remove(device.Socket);
        if (!device.Replaceable)
        {
            end.Set(EndReason.BackendLost, (ulong)place, $"{device.Name}: backend closed its vhost-user socket");
        }
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "The device takes the socket over, or it is disposed here.")]
    private void TakeReplacement()
    {
        if (!control.TryReceiveReplacement(out LaunchFault fault, out DeviceReplacement replacement, out FdHandle? socket))
        {
            end.Set(EndReason.LauncherGone);
            return;
        }

        if (socket is null || replacement.Place >= devices.Count || !devices[replacement.Place].Replaceable)
        {
            socket?.Dispose();
            end.Set(EndReason.SpecRejected, (ulong)fault, "a message to the running machine was refused");
            return;
        }

        AttachedDevice device = devices[replacement.Place];
        _ = _epoll.Remove(device.Socket); // the news of its end may still be on the way
        if (device.Replace(socket))
        {
            _epoll.Add(device.Socket, EpollEvents.PeerClosed, FirstDeviceTag + (ulong)replacement.Place);
        }
    }

    // The device's own process has said which rule was broken. Here it is told once, and counted: a driver can do this for ever.
    private static void TakeRingFault(AttachedDevice device)
    {
        if (device.TakeRingFault())
        {
            Say($"{device.Name}: a broken ring; it needs a reset by its driver");
        }
    }

    private static void Say(string line) => _ = FdIo.Write(StandardError, Encoding.ASCII.GetBytes($"sandbox-vmm: {line}\n"));
}
