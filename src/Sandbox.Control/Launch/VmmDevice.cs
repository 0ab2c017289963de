namespace Sandbox.Control.Launch;

/// <summary>A virtio-mmio device of the machine; its backend speaks vhost-user on the inherited fd of the same place.</summary>
/// <param name="kind">The virtio device id shown to the guest.</param>
/// <param name="queueCount">Virtqueues, 1 to <see cref="LaunchLimits.MaxQueues"/>.</param>
/// <param name="replaceable">When its backend dies the launcher sends another (<see cref="DeviceReplacement"/>): its rings wait for it. Else the machine ends.</param>
/// <param name="tag">The name that the guest mounts a <see cref="DeviceKind.FileSystem"/> by; empty for all others.</param>
public sealed class VmmDevice(DeviceKind kind, int queueCount, bool replaceable = false, string tag = "")
{
    public DeviceKind Kind => kind;

    public int QueueCount => queueCount;

    public bool Replaceable => replaceable;

    public string Tag => tag;
}
