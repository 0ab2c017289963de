using Sandbox.Control.Agent;
using Sandbox.Linux;
using Sandbox.Linux.Guest;

namespace Sandbox.Init.Boot;

/// <summary>The kernel's own file systems, mounted in the initial RAM disk and moved to the root later.</summary>
internal static class EarlyMounts
{
    private const MountFlags Plain = MountFlags.NoSetUid | MountFlags.NoDevices | MountFlags.NoExecute;

    /// <summary>In this order they are moved; <c>/dev</c> goes last because the console is on it.</summary>
    public static readonly string[] Targets = ["/proc", "/sys", "/dev"];

    public static void Mount()
    {
        Mount("proc", "/proc", Plain, string.Empty);
        Mount("sysfs", "/sys", Plain, string.Empty);
        // Device nodes are its point, so no NoDevices. The root's block device appears here.
        Mount("devtmpfs", "/dev", MountFlags.NoSetUid | MountFlags.NoExecute, "mode=0755");
    }

    private static void Mount(string type, string target, MountFlags flags, string options)
    {
        _ = GuestFiles.MakeDirectory(target, 0x1ED /* 0755 */);
        int result = GuestFiles.Mount(type, target, type, flags, options);
        // The kernel mounts devtmpfs by itself when it is configured to (CONFIG_DEVTMPFS_MOUNT).
        BootException.Check(result == -(int)Errno.EBUSY ? 0 : result, BootStage.Mounts, $"mount {type} on {target}");
    }
}
