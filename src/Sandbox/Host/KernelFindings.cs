using Sandbox.Labels;
using Sandbox.Linux;

namespace Sandbox.Host;

/// <summary>Walls that the host's kernel offers.</summary>
internal static class KernelFindings
{
    public static HostFinding Landlock()
    {
        int version = HostFeatures.LandlockAbi();
        return new HostFinding(
            "Landlock", version > 0, IsRequired: false, version > 0 ? $"ABI {version}" : "not enabled", "add landlock to lsm= on the kernel's command line");
    }

    public static HostFinding UserNamespaces()
    {
        string most = ReadWord("/proc/sys/user/max_user_namespaces") ?? "0";
        bool forAll = ReadWord("/proc/sys/kernel/unprivileged_userns_clone") is null or "1";
        return new HostFinding(
            "user namespaces",
            most != "0",
            IsRequired: false,
            most == "0" ? "none allowed" : forAll ? $"up to {most}" : $"up to {most}, for root only",
            "sysctl user.max_user_namespaces=10000");
    }

    public static HostFinding CgroupVersion()
    {
        bool unified = File.Exists("/sys/fs/cgroup/cgroup.controllers");
        string? controllers = unified ? ReadWord("/sys/fs/cgroup/cgroup.controllers") : null;
        string detail = unified ? $"version 2, controllers: {controllers}" : Directory.Exists("/sys/fs/cgroup") ? "version 1 or mixed" : "none mounted";
        return new HostFinding("cgroup version 2", unified, IsRequired: false, detail, "boot with systemd.unified_cgroup_hierarchy=1");
    }

    public static HostFinding SeLinux()
    {
        SeLinuxState host = SeLinuxState.Read();
        string cure = !host.IsEnabled ? "optional: boot with security=selinux and a policy"
            : !host.KnowsSandbox ? "sandbox selinux install"
            : host.IsEnforcing ? "semanage permissive -d sbx_vmm_t" : "setenforce 1";
        return new HostFinding(
            "SELinux", host is { IsEnforcing: true, KnowsSandbox: true, IsPermissiveForUs: false }, IsRequired: false, SeLinuxReport.Describe(host), cure);
    }

    private static string? ReadWord(string path)
    {
        try
        {
            return TextFile.Read(path).Trim();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
