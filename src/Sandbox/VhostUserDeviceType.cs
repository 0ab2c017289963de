namespace Sandbox;

/// <summary>Kinds of device that a vhost-user backend may be: the protocol itself does not tell.</summary>
public enum VhostUserDeviceType
{
    /// <summary>A disk; the guest names it after those of <see cref="MicroVmOptions.Disks"/>.</summary>
    Block,

    /// <summary>A source of random numbers.</summary>
    Entropy,

    /// <summary>A file system, which the guest mounts by <see cref="VhostUserDeviceOptions.Tag"/>: <c>mount -t virtiofs TAG FOLDER</c>.</summary>
    FileSystem,
}
