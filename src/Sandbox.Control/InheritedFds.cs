namespace Sandbox.Control;

/// <summary>
/// The file descriptor numbers with which the processes of a sandbox are born. The launcher puts them there, the process
/// takes them by number and opens nothing itself. 0 and 1 are /dev/null, 2 is a pipe that the launcher drains.
/// </summary>
public static class InheritedFds
{
    /// <summary>Both: AF_UNIX stream socket to the launcher. Its end of file means: end at once.</summary>
    public const int Control = 3;

    /// <summary>VMM: /dev/kvm, read and write. Needed once, for KVM_CREATE_VM and the questions before it.</summary>
    public const int VmmKvm = 4;

    /// <summary>VMM: the sealed memfd that is the guest's memory. Mapped, and passed on to each backend by vhost-user.</summary>
    public const int VmmGuestMemory = 5;

    /// <summary>VMM: the kernel file, read-only. Read once at boot.</summary>
    public const int VmmKernel = 6;

    /// <summary>VMM: the initial RAM disk, read-only (a sealed memfd). /dev/null when the spec says zero bytes.</summary>
    public const int VmmInitrd = 7;

    /// <summary>VMM: write end of the serial console's pipe, non-blocking: what does not fit is dropped and counted.</summary>
    public const int VmmConsole = 8;

    /// <summary>VMM: the first of the vhost-user sockets (frontend ends), one for each device in the order of the spec.</summary>
    public const int VmmFirstDevice = 9;

    /// <summary>Device: its vhost-user socket (backend end).</summary>
    public const int DeviceVhostUser = 4;

    /// <summary>Device that can be replaced: a sealed memfd of <see cref="Launch.LaunchLimits.InflightBytes"/>, which survives the process. Block, entropy, balloon: the record of requests in flight. Network on a tap interface: how many pairs of queues the driver chose.</summary>
    public const int DeviceInflight = 5;

    /// <summary>Device: the first backing fd. Block: the image. Vsock: one connected stream socket for each port of the spec. Network: the tap interface, or the stream socket. Entropy, balloon: none.</summary>
    public const int DeviceFirstBacking = 6;
}
