using Sandbox.Linux;

namespace Sandbox.Launch;

/// <summary>Opens the host's KVM, with the cure when it cannot be.</summary>
internal static class KvmDevice
{
    public const string Path = "/dev/kvm";

    public static FdHandle Open()
    {
        try
        {
            return FileOpen.ReadWrite(Path);
        }
        catch (LinuxException failure)
        {
            throw new SandboxException(SandboxErrorKind.HostNotReady, Describe(failure.Errno), failure);
        }
    }

    public static string Describe(Errno errno) => errno switch
    {
        Errno.ENOENT or Errno.ENODEV => $"{Path} is missing; enable virtualization in the firmware and load kvm_intel or kvm_amd with modprobe",
        Errno.EACCES or Errno.EPERM => $"{Path} is not permitted to this user; add it to the group kvm with `usermod -aG kvm USER` and log in again",
        _ => $"{Path} cannot be opened ({errno}); check the KVM modules with `dmesg | grep kvm`",
    };
}
