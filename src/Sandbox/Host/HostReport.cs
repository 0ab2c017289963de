using Sandbox.Launch;
using Sandbox.Linux;

namespace Sandbox.Host;

/// <summary>What a host offers to microVMs.</summary>
public sealed class HostReport
{
    /// <summary>Name of the finding about the processor: without it /dev/kvm, if there is one, cannot run a Linux guest at a usable speed, or at all.</summary>
    public const string HardwareVirtualization = "hardware virtualization";

    private HostReport(IReadOnlyList<HostFinding> findings) => Findings = findings;

    /// <summary>In the order in which they should be cured.</summary>
    public IReadOnlyList<HostFinding> Findings { get; }

    /// <summary>Whether every required finding is present.</summary>
    public bool IsReady => Findings.All(static finding => finding.IsPresent || !finding.IsRequired);

    /// <summary>Looks at this host. Changes nothing, and does not throw for anything that is missing.</summary>
    /// <param name="executableDirectory">As <see cref="MicroVmOptions.ExecutableDirectory"/>.</param>
    public static HostReport Inspect(string? executableDirectory = null)
    {
        InstallLayout layout = new(executableDirectory);
        return new HostReport(
        [
            KvmFindings.HardwareVirtualization(),
            KvmFindings.Device(),
            KernelFindings.Landlock(),
            KernelFindings.UserNamespaces(),
            KernelFindings.CgroupVersion(),
            KernelFindings.ResourceLimits(),
            KernelFindings.SeLinux(),
            Tool("mkfs.erofs", "erofs-utils", "makes a root file system of a directory"),
            .. layout.Findings(),
        ]);
    }

    private static HostFinding Tool(string name, string package, string purpose)
    {
        string? path = HostTool.Find(name);
        return new HostFinding(name, path is not null, IsRequired: false, path ?? $"not found; {purpose}", $"apt-get install {package}");
    }
}
