using Sandbox.Control.Agent;
using Sandbox.Linux;

namespace Sandbox.Agent;

/// <summary>Words for what the guest's agent says about itself. Its text is a stranger's: the exception makes it one printable line.</summary>
internal static class GuestFailure
{
    public static SandboxException Describe(FailedMessage failed)
    {
        string reason = failed.Errno == 0 ? failed.Text : $"{failed.Text} ({(Errno)failed.Errno})";
        return failed.Stage is BootStage.RootDevice or BootStage.RootFileSystem or BootStage.Overlay or BootStage.SwitchRoot
            ? new(SandboxErrorKind.DiskRejected, $"the guest cannot use its root file system: {reason}; check the image, and that the kernel has its file system, overlayfs and virtio-blk")
            : new(SandboxErrorKind.GuestFailed, $"the guest could not be set up ({failed.Stage}): {reason}");
    }

    public static SandboxException Describe(string command, int errno) => (Errno)errno switch
    {
        Errno.ENOENT or Errno.ENOTDIR => new(SandboxErrorKind.CommandNotFound, $"{command}: not found in the guest; check the name, PATH and the root file system"),
        Errno.EACCES or Errno.EPERM => new(SandboxErrorKind.CommandNotExecutable, $"{command}: not executable in the guest; check its mode with ls -l"),
        Errno.ENOEXEC => new(SandboxErrorKind.CommandNotExecutable, $"{command}: not a program for this guest; check its format with file(1)"),
        _ => new(SandboxErrorKind.CommandNotExecutable, $"{command}: cannot be executed in the guest ({(Errno)errno})"),
    };
}
