using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.VhostUser;
using Sandbox.Virtio;

namespace Sandbox.Device;

/// <summary>Starts and stops the device's rings as the session says, and watches the kicks of those that run.</summary>
internal sealed class RingControl(VirtioDevice device, BackendSession session, BackendMemory memory, BackendInflight inflight, Epoll epoll)
{
    private readonly bool[] _watched = new bool[device.Queues.Length];

    /// <summary>Carries out the ring part of an action. Where the ring stands, for the answer to GET_VRING_BASE.</summary>
    public ushort Change(in BackendAction action)
    {
        DeviceQueue queue = device.Queues[action.Queue];
        switch (action.Ring)
        {
            case RingChange.Start:
                RingLayout ring = session.GetRing(action.Queue);
                Start(action.Queue, ring.NextAvailableIndex);
                return ring.NextAvailableIndex;
            case RingChange.Pause:
            case RingChange.Stop:
                ushort position = queue.Ring.IsConfigured ? queue.Ring.NextAvailableIndex : (ushort)action.Value;
                Stop(action.Queue);
                if (action.Ring == RingChange.Stop)
                {
                    queue.TakeKick(-1);
                    queue.TakeCall(-1);
                    queue.TakeError(-1);
                }
                else
                {
                    session.KeepPosition(action.Queue, position);
                }

                return position;
            default:
                return (ushort)(action.Value & ushort.MaxValue);
        }
    }

    /// <summary>Takes a new kick for a ring that does not run.</summary>
    public void TakeKick(int index, int fd)
    {
        Watch(index, false);
        device.Queues[index].TakeKick(fd);
    }

    /// <summary>Replaces the guest's memory under rings that may run: each goes on where it stood.</summary>
    public bool ReplaceMemory(ReadOnlySpan<int> fds)
    {
        Span<int> positions = stackalloc int[device.Queues.Length];
        for (int index = 0; index < positions.Length; index++)
        {
            device.QueueStopping(index); // while the old table is mapped: a thread may be reading into it
            SplitVirtqueue ring = device.Queues[index].Ring;
            positions[index] = ring.IsConfigured ? ring.NextAvailableIndex : -1;
            ring.Stop();
        }

        bool replaced = memory.TryReplace(session.Memory, fds);
        for (int index = 0; index < positions.Length; index++)
        {
            if (positions[index] < 0)
            {
                continue;
            }

            if (replaced)
            {
                Start(index, (ushort)positions[index]);
            }
            else
            {
                Stop(index);
            }
        }

        return replaced;
    }

    private void Start(int index, ushort baseIndex)
    {
        DeviceQueue queue = device.Queues[index];
        RingLayout ring = session.GetRing(index);
        if (memory.Current is null)
        {
            return; // a memory table that could not be mapped: the frontend was told
        }

        queue.Record.Attach(inflight.RecordOf(index));
        _ = queue.Ring.Configure(
            memory.Current,
            new VirtqueueLayout(ring.Size, new GuestAddress(ring.DescriptorTable), new GuestAddress(ring.AvailableRing), new GuestAddress(ring.UsedRing)),
            session.DeviceFeatures,
            baseIndex,
            queue.Record); // a fault is told by the loop
        device.QueueStarted(index);
        queue.NotifyTakenOver();
        Watch(index, queue.Ring.IsConfigured); // nobody reads the kick of a ring that does not run: it would wake the loop for ever
    }

    private void Stop(int index)
    {
        Watch(index, false);
        device.QueueStopping(index);
        device.Queues[index].Ring.Stop();
        device.QueueStopped(index);
    }

    private void Watch(int index, bool on)
    {
        int kick = device.Queues[index].KickFd;
        if (_watched[index] == on || kick < 0)
        {
            return;
        }

        _watched[index] = on;
        if (on)
        {
            epoll.Add(kick, EpollEvents.Readable, LoopTag.Of(LoopSource.Kick, index));
        }
        else
        {
            _ = epoll.Remove(kick);
        }
    }
}
