namespace Sandbox.Control.Launch;

/// <summary>Why a VMM or device process ended. The value is also its exit code.</summary>
public enum EndReason
{
    /// <summary>The guest powered off (sleep state S5). Device: the frontend closed its socket.</summary>
    GuestShutdown = 0,

    /// <summary>The guest asked for a reset (i8042 or the reset register); a kernel panic ends like this too.</summary>
    GuestReset = 1,

    /// <summary>KVM_EXIT_SHUTDOWN.</summary>
    TripleFault = 2,

    /// <summary>KVM could not go on: KVM_EXIT_INTERNAL_ERROR, KVM_EXIT_FAIL_ENTRY or an exit we do not know. Detail: the suberror or reason.</summary>
    InternalError = 3,

    /// <summary>The kernel file, the command line or the initial RAM disk cannot be booted. Text: why.</summary>
    KernelRejected = 4,

    /// <summary>A device process closed its vhost-user socket or broke its protocol. Detail: the device's place in the spec.</summary>
    BackendLost = 5,

    /// <summary>The launch spec was refused. Detail: the <see cref="LaunchFault"/>.</summary>
    SpecRejected = 6,

    /// <summary>A system call failed. Detail: the error number. Text: which call.</summary>
    HostFailure = 7,

    /// <summary>The launcher closed the control socket. Never sent; only the exit code can tell.</summary>
    LauncherGone = 8,

    /// <summary>Device: the frontend broke the vhost-user protocol. Text: how.</summary>
    FrontendFault = 9,
}
