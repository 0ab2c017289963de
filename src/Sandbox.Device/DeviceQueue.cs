using Sandbox.Linux;
using Sandbox.Virtio;

namespace Sandbox.Device;

/// <summary>A virtqueue with the eventfds that came for it; they are closed when others take their place, or with the process.</summary>
internal sealed class DeviceQueue
{
    // Owned numbers, not handles: a guest brings new ones with every reset, and serving allocates nothing.
    private int _kick = -1;
    private int _call = -1;
    private int _error = -1;
    private bool _faultTold;

    public SplitVirtqueue Ring { get; } = new();

    /// <summary>The ring's record of what is in flight, for the process that may come after this one.</summary>
    public InFlightRecord Record { get; } = new();

    /// <summary>The fd of the driver's notifications, borrowed; -1 until one came.</summary>
    public int KickFd => _kick;

    /// <summary>Whether a driver has given something to one of these.</summary>
    public static bool HaveAvailable(ReadOnlySpan<DeviceQueue> queues)
    {
        foreach (DeviceQueue queue in queues)
        {
            if (queue.Ring.HasAvailable)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Takes the fd of the driver's notifications, or -1 for none, in the place of the one held.</summary>
    public void TakeKick(int fd) => Replace(ref _kick, fd);

    /// <summary>Takes the fd by which the driver wants to be told of completed chains, or -1.</summary>
    public void TakeCall(int fd)
    {
        Replace(ref _call, fd);
        NotifyTakenOver();
    }

    /// <summary>Tells a driver whose ring was used before: a predecessor may have completed chains and died before it told. A call too many costs nothing.</summary>
    public void NotifyTakenOver()
    {
        if (Ring.IsTakenOver && _call >= 0)
        {
            _ = EventFd.Signal(_call);
        }
    }

    /// <summary>Takes the fd by which the frontend wants to hear of a fault, or -1.</summary>
    public void TakeError(int fd) => Replace(ref _error, fd);

    /// <summary>Tells the driver of completed chains, if it wants to know.</summary>
    public void Notify()
    {
        if (Ring.TakeCallNeeded() && _call >= 0)
        {
            _ = EventFd.Signal(_call);
        }
    }

    /// <summary>Tells of a fault once: the frontend by its error fd (vhost-user, SET_VRING_ERR), the operator by a line.</summary>
    public void ReportFault(int index)
    {
        if (Ring.Fault == VirtqueueFault.None)
        {
            _faultTold = false;
            return;
        }

        if (!_faultTold)
        {
            _faultTold = true;
            if (DeviceLog.HasRoom)
            {
                DeviceLog.Line($"queue {index} stopped: the driver broke its rules ({Ring.Fault})");
            }

            if (_error >= 0)
            {
                _ = EventFd.Signal(_error);
            }
        }
    }

    private static void Replace(ref int held, int fd)
    {
        if (held >= 0)
        {
            _ = FdIo.Close(held);
        }

        held = fd;
    }
}
