using Sandbox.Labels;
using Sandbox.Groups;
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

    /// <summary>Where a microVM of this user would get its limits. Makes nothing: that the folder can be written, and processes moved, is judged by modes.</summary>
    public static HostFinding ResourceLimits()
    {
        GroupController[] wanted = [GroupController.Memory, GroupController.Threads, GroupController.Processors, GroupController.Disks];
        RefusedLimits refused = new();
        List<ParentGroup> parents = GroupSetup.FindUsable(null, wanted, refused);
        List<string> missing = refused.Lines();
        return new HostFinding(
            "resource limits",
            missing.Count == 0,
            IsRequired: false,
            missing.Count == 0 ? "in " + string.Join(", ", parents.ConvertAll(static parent => parent.Path)) : string.Join("; ", missing),
            "run as root or in a delegated control group (systemd-run --user --scope -p Delegate=yes), with the controllers in the cgroup.subtree_control above it");
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

    private static string? ReadWord(string path) => TextFile.TryRead(path)?.Trim();
}
