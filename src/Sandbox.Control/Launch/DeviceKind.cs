namespace Sandbox.Control.Launch;

/// <summary>What a device is. The values are the device ids of virtio 1.2, section 5.</summary>
public enum DeviceKind
{
    Network = 1,
    Block = 2,
    Entropy = 4,
    Balloon = 5,
    Vsock = 19,
    FileSystem = 26,
}
