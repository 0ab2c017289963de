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

    /// <summary>The guest tells an error number only: it can be about the working directory as well as about the command.</summary>
    public static SandboxException Describe(ExecOptions options, int errno)
    {
        string command = options.Command[0];
        string directory = options.WorkingDirectory == "/" ? "" : $", or its working directory {options.WorkingDirectory}";
        return (Errno)errno switch
        {
            Errno.ENOENT or Errno.ENOTDIR => new(SandboxErrorKind.CommandNotFound, $"{command}{directory}: not found in the guest; check the name, PATH and the root file system"),
            Errno.EACCES or Errno.EPERM => new(SandboxErrorKind.CommandNotExecutable, $"{command}{directory}: not permitted in the guest; check the mode with ls -l"),
            Errno.ENOEXEC => new(SandboxErrorKind.CommandNotExecutable, $"{command}: not a program for this guest; check its format with file(1)"),
            _ => new(SandboxErrorKind.CommandNotExecutable, $"{command}: cannot be executed in the guest ({(Errno)errno})"),
        };
    }
}
