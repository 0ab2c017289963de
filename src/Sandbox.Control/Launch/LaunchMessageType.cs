namespace Sandbox.Control.Launch;

/// <summary>The messages of a control socket, by direction.</summary>
public enum LaunchMessageType
{
    /// <summary>Launcher to VMM, once: <see cref="VmmLaunchSpec"/>.</summary>
    VmmSpec = 1,

    /// <summary>Launcher to device, once: <see cref="DeviceLaunchSpec"/>.</summary>
    DeviceSpec = 2,

    /// <summary>Launcher to VMM, whenever a device process was replaced: <see cref="Launch.DeviceReplacement"/>, with one fd.</summary>
    DeviceReplacement = 3,

    /// <summary>Launcher to vsock device, once for each <see cref="Launch.VsockConnect"/>: <see cref="Launch.VsockAnswer"/>, with one fd or none.</summary>
    VsockAnswer = 4,

    /// <summary>VMM or device to launcher, once: <see cref="Launch.Ready"/>.</summary>
    Ready = 16,

    /// <summary>VMM to launcher: <see cref="PhaseReached"/>.</summary>
    Phase = 17,

    /// <summary>VMM or device to launcher, the last: <see cref="Launch.Ended"/>.</summary>
    Ended = 18,

    /// <summary>Vsock device to launcher, whenever the guest has made one more connection: <see cref="Launch.VsockConnect"/>.</summary>
    VsockConnect = 19,
}
