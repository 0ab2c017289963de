using Sandbox.Launch;
using Sandbox.Linux;

namespace Sandbox.Host;

/// <summary>What the processor and KVM offer.</summary>
internal static class KvmFindings
{
    private const int StableApi = 12; // the only version since Linux 2.6.22

    public static HostFinding HardwareVirtualization()
    {
        string? flag = VirtualizationFlag();
        return new HostFinding(
            HostReport.HardwareVirtualization,
            flag is not null,
            IsRequired: true,
            flag is null ? "the processor shows neither vmx nor svm" : $"the processor shows {flag}",
            "enable it in the firmware, or nested virtualization in the outer host; `make lab` runs guests in an emulated machine instead");
    }

    public static HostFinding Device()
    {
        try
        {
            using FdHandle kvm = KvmDevice.Open();
            int version = HostFeatures.KvmApiVersion(kvm);
            return new HostFinding(
                KvmDevice.Path, version == StableApi, IsRequired: true, version >= 0 ? $"API version {version}" : $"{(Errno)(-version)}", "use a kernel with KVM's stable API (12)");
        }
        catch (SandboxException failure)
        {
            string[] parts = failure.Message.Split("; ", 2);
            return new HostFinding(KvmDevice.Path, IsPresent: false, IsRequired: true, parts[0], parts.Length > 1 ? parts[1] : "");
        }
    }

    private static string? VirtualizationFlag()
    {
        try
        {
            foreach (string line in TextFile.ReadLines("/proc/cpuinfo"))
            {
                if (line.StartsWith("flags", StringComparison.Ordinal))
                {
                    string[] flags = line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Split(' ');
                    return Array.Find(flags, static flag => flag is "vmx" or "svm");
                }
            }
        }
        catch (LinuxException)
        {
            // No /proc: nothing is known of the processor.
        }

        return null;
    }
}
