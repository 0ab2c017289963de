namespace Sandbox.Virtio;

/// <summary>Device types (virtio 1.2 §5).</summary>
public enum VirtioDeviceId : uint
{
    Network = 1,
    Block = 2,
    Console = 3,
    Entropy = 4,
    Balloon = 5,
    Vsock = 19,
}
