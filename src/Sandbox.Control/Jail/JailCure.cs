namespace Sandbox.Control.Jail;

/// <summary>What an operator can do about a step of the jail stage that failed.</summary>
public static class JailCure
{
    private const int PermissionDenied = 1; // EPERM
    private const int NoSpace = 28; // ENOSPC: max_user_namespaces is used up or zero
    private const int NotImplemented = 38; // ENOSYS
    private const int InvalidArgument = 22; // EINVAL

    /// <summary>One sentence, or null where nothing is known to help.</summary>
    public static string? For(JailStep step, int errno) => (step, errno) switch
    {
        (JailStep.Unshare, PermissionDenied or NoSpace) =>
            "allow user namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns) and do not run inside a chroot",
        (JailStep.Unshare, InvalidArgument) => "the kernel lacks a namespace: user, mount, PID, network, IPC, UTS and cgroup are needed",
        (JailStep.LabelExec, _) => "install the SELinux module (`sandbox selinux install`), or see the denial with `dmesg | grep avc`",
        (JailStep.OpenProc or JailStep.MapUser or JailStep.MapGroup or JailStep.DenySetGroups, _) => "mount proc at /proc",
        (JailStep.CreateRoot or JailStep.AttachRoot, NotImplemented) => "the kernel must be 5.2 or younger",
        (JailStep.PivotRoot, InvalidArgument) => "the root file system must be a mount of its own, not the initial RAM disk (switch_root)",
        (JailStep.CloseFds, InvalidArgument or NotImplemented) => "the kernel must be 5.11 or younger",
        (JailStep.Execute, _) => "the exe must be the static one that was built with this jail",
        (JailStep.EnterGroups, _) => "the control group above the microVM's must not be at its own limit (pids.max, memory)",
        (JailStep.ReadSpec, _) => "sandbox-jail and sandbox must come from the same build",
        _ => null,
    };
}
