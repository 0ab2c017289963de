namespace Sandbox.Control.Launch;

/// <summary>A virtio-mmio device of the machine; its backend speaks vhost-user on the inherited fd of the same place.</summary>
/// <param name="Kind">The virtio device id shown to the guest.</param>
/// <param name="QueueCount">Virtqueues, 1 to <see cref="LaunchLimits.MaxQueues"/>.</param>
public readonly record struct VmmDevice(DeviceKind Kind, int QueueCount);
