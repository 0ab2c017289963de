namespace Sandbox.Device;

/// <summary>A device model: what is behind the queues. The loop's thread calls it, and no other; what a device does by threads of its own is its own affair.</summary>
internal abstract class VirtioDevice
{
    protected VirtioDevice(int queueCount)
    {
        Queues = new DeviceQueue[queueCount];
        for (int index = 0; index < queueCount; index++)
        {
            Queues[index] = new DeviceQueue();
        }
    }

    public DeviceQueue[] Queues { get; }

    /// <summary>The feature bits offered, those of the transport included.</summary>
    public abstract ulong OfferedFeatures { get; }

    /// <summary>A request may be done again: then a process that died can be replaced without the driver's noticing.</summary>
    public virtual bool CanReplay => false;

    public virtual ReadOnlySpan<byte> ConfigSpace => [];

    /// <summary>What the driver accepted; no queue is running then.</summary>
    public virtual void FeaturesAgreed(ulong features)
    {
    }

    /// <summary>The rings were served by a process that died: what the driver had set up there, this one may not know.</summary>
    public virtual void TakenOver()
    {
    }

    /// <summary>The driver writes configuration. False: no such field is to be written.</summary>
    public virtual bool TryWriteConfig(uint offset, ReadOnlySpan<byte> bytes) => false;

    /// <summary>A backing fd that the device has put under watch.</summary>
    public virtual void BackingReady(int index, bool readable, bool writable)
    {
    }

    /// <summary>The launcher says something after the spec, or is gone. False: the process ends, for to most kinds whatever comes means that.</summary>
    public virtual bool TryHearLauncher() => false;

    /// <summary>A queue was set up, perhaps as a predecessor or a change of memory left it.</summary>
    public virtual void QueueStarted(int index)
    {
    }

    /// <summary>
    /// A queue is about to be taken away, or the memory under it: what is in work of it ends now, however long that takes, and is answered. After
    /// this no thread but the caller's touches the ring, its record or a buffer of the guest's that came by it.
    /// </summary>
    public virtual void QueueStopping(int index)
    {
    }

    /// <summary>A queue was taken away: nothing of it may be touched any more.</summary>
    public virtual void QueueStopped(int index)
    {
    }

    /// <summary>When <see cref="Work"/> is wanted again although nothing happens, in milliseconds; -1: never.</summary>
    public virtual int WaitMilliseconds => -1;

    /// <summary>Does what there is to do on every queue, up to a bound. True when there is more: the loop looks at its other fds and comes back.</summary>
    public abstract bool Work();
}
