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

    /// <summary>VMM or device to launcher, once: <see cref="Launch.Ready"/>.</summary>
    Ready = 16,

    /// <summary>VMM to launcher: <see cref="PhaseReached"/>.</summary>
    Phase = 17,

    /// <summary>VMM or device to launcher, the last: <see cref="Launch.Ended"/>.</summary>
    Ended = 18,
}
