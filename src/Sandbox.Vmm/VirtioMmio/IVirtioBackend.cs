using Sandbox.Virtio;

namespace Sandbox.Vmm.VirtioMmio;

/// <summary>What stands behind a block of transport registers. Calls come one at a time, on the vCPU thread that touched the register.</summary>
public interface IVirtioBackend
{
    /// <summary>Virtio device id (virtio 1.2, 5).</summary>
    uint DeviceId { get; }

    /// <summary>Feature bits that the driver may accept.</summary>
    ulong OfferedFeatures { get; }

    int QueueCount { get; }

    /// <summary>Largest ring, a power of two.</summary>
    ushort MaxQueueSize { get; }

    /// <summary>The device-specific configuration space.</summary>
    ReadOnlySpan<byte> Config { get; }

    /// <summary>
    /// DRIVER_OK: the device may use the rings from here on. An entry of size 0 is a queue that the driver did not set up. False when a ring
    /// is unsound or the backend is gone: the device then needs a reset.
    /// </summary>
    bool TryStart(ulong features, ReadOnlySpan<VirtqueueLayout> queues);

    /// <summary>The driver writes configuration, after FEATURES_OK. What no driver may write stays as it is.</summary>
    void WriteConfig(ulong features, uint offset, ReadOnlySpan<byte> data);

    /// <summary>Reset: after the return nothing touches a ring. Does nothing where nothing was started.</summary>
    void StopQueues();

    /// <summary>Raises the device's interrupt from the VMM's side (configuration change).</summary>
    void SignalInterrupt();
}
