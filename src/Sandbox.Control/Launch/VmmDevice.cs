namespace Sandbox.Control.Launch;

/// <summary>A virtio-mmio device of the machine; its backend speaks vhost-user on the inherited fd of the same place.</summary>
/// <param name="Kind">The virtio device id shown to the guest.</param>
/// <param name="QueueCount">Virtqueues, 1 to <see cref="LaunchLimits.MaxQueues"/>.</param>
/// <param name="Replaceable">When its backend dies the launcher sends another (<see cref="DeviceReplacement"/>): its rings wait for it. Else the machine ends.</param>
public readonly record struct VmmDevice(DeviceKind Kind, int QueueCount, bool Replaceable = false);
