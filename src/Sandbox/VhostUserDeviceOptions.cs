namespace Sandbox;

/// <summary>
/// A device that a program of your own serves by the vhost-user protocol (qemu-storage-daemon or virtiofsd, for example). That program gets the whole of the
/// guest's memory and is not confined by Sandbox. When it closes its socket, the microVM ends.
/// </summary>
public sealed class VhostUserDeviceOptions
{
    /// <summary>The Unix socket on which the program listens.</summary>
    public required string SocketPath { get; init; }

    /// <summary>What the guest shall see. Default: <see cref="VhostUserDeviceType.Block"/>.</summary>
    public VhostUserDeviceType Type { get; init; }

    /// <summary>The name of a <see cref="VhostUserDeviceType.FileSystem"/> in the guest: 1 to 36 printable ASCII characters. Empty for others. Default: empty.</summary>
    public string Tag { get; init; } = "";
}
