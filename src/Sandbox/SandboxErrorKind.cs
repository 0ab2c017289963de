namespace Sandbox;

/// <summary>What sort of failure a <see cref="SandboxException"/> reports, for callers that react to it.</summary>
public enum SandboxErrorKind
{
    /// <summary>An option is out of range, contradicts another, or names something that cannot be used as asked.</summary>
    InvalidOption,

    /// <summary>This host lacks something: KVM, a permission, a tool, a prepared file. The message says how to get it.</summary>
    HostNotReady,

    /// <summary>The kernel file cannot be booted.</summary>
    KernelRejected,

    /// <summary>The root file system or a disk cannot be used.</summary>
    DiskRejected,

    /// <summary>The guest's kernel panicked, reset or stopped by itself.</summary>
    GuestStopped,

    /// <summary>The guest did not answer within the start timeout.</summary>
    GuestSilent,

    /// <summary>The guest's agent reported a failure of its own set-up, or broke its protocol.</summary>
    GuestFailed,

    /// <summary>The command does not exist in the guest.</summary>
    CommandNotFound,

    /// <summary>The command exists in the guest but cannot be executed.</summary>
    CommandNotExecutable,

    /// <summary>A process of the sandbox on the host ended before its time, or a host operation failed.</summary>
    HostFailure,
}
