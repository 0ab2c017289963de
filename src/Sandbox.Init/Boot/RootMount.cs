using Sandbox.Control.Agent;
using Sandbox.Linux;
using Sandbox.Linux.Guest;

namespace Sandbox.Init.Boot;

/// <summary>Mounts the root and makes it "/".</summary>
internal static class RootMount
{
    private const string NewRoot = "/newroot";
    private const string Lower = "/lower";
    private const string Writes = "/writes";
    private const uint Directory = 0x1ED; // 0755
    private const uint StickyDirectory = 0x3FF; // 1777
    private const int DeviceWaitMilliseconds = 5;
    private const int DeviceWaitTries = 1000;

    public static void Switch(ConfigureMessage configuration)
    {
        AwaitDevice(configuration.RootDevice);
        string root = configuration.WritableOverlay ? Lower : NewRoot;
        // Read-only whatever the file system: several guests may share the image.
        Mount(configuration.RootDevice, root, configuration.RootFileSystem, MountFlags.ReadOnly, string.Empty, BootStage.RootFileSystem);
        if (configuration.WritableOverlay)
        {
            AddOverlay();
        }

        foreach (string target in EarlyMounts.Targets)
        {
            // An image without these mount points: with the overlay they can be made.
            _ = GuestFiles.MakeDirectory(NewRoot + target, Directory);
            Check(GuestFiles.Mount(target, NewRoot + target, string.Empty, MountFlags.Move, string.Empty), BootStage.SwitchRoot, $"move {target} to the root");
        }

        // The initial RAM disk cannot be unmounted, only covered (Documentation/filesystems/ramfs-rootfs-initramfs.rst).
        Check(GuestFiles.ChangeDirectory(NewRoot), BootStage.SwitchRoot, "chdir to the root");
        Check(GuestFiles.Mount(".", "/", string.Empty, MountFlags.Move, string.Empty), BootStage.SwitchRoot, "move the root to /");
        Check(GuestFiles.ChangeRoot("."), BootStage.SwitchRoot, "chroot");
        Check(GuestFiles.ChangeDirectory("/"), BootStage.SwitchRoot, "chdir /");
        AddScratch(configuration.WritableOverlay);
    }

    private static void AwaitDevice(string device)
    {
        for (int attempt = 0; !File.Exists(device); attempt++)
        {
            if (attempt == DeviceWaitTries)
            {
                throw new BootException(BootStage.RootDevice, $"root device {device}", Errno.ENOENT);
            }

            Thread.Sleep(DeviceWaitMilliseconds);
        }
    }

    /// <summary>A tmpfs takes the writes; half the memory at most, so that a full disk is an error of the writer and not the end of the guest.</summary>
    private static void AddOverlay()
    {
        Mount("tmpfs", Writes, "tmpfs", MountFlags.None, "size=50%,mode=0755", BootStage.Overlay);
        Check(GuestFiles.MakeDirectory(Writes + "/upper", Directory), BootStage.Overlay, "mkdir upper");
        Check(GuestFiles.MakeDirectory(Writes + "/work", Directory), BootStage.Overlay, "mkdir work");
        Mount("overlay", NewRoot, "overlay", MountFlags.None, $"lowerdir={Lower},upperdir={Writes}/upper,workdir={Writes}/work", BootStage.Overlay);
    }

    /// <summary>What programs expect beside the root. Each may fail: a kernel without it, or a root without the mount point.</summary>
    private static void AddScratch(bool writableRoot)
    {
        const MountFlags Safe = MountFlags.NoSetUid | MountFlags.NoDevices;
        // shm_open(3): Python's multiprocessing, databases, browsers.
        Optional("tmpfs", "/dev/shm", Safe | MountFlags.NoExecute, "mode=1777", StickyDirectory);
        // Terminals of ssh, script, tmux, sudo.
        Optional("devpts", "/dev/pts", MountFlags.NoSetUid | MountFlags.NoExecute, "gid=5,mode=0620,ptmxmode=0666", Directory);
        Optional("mqueue", "/dev/mqueue", Safe | MountFlags.NoExecute, string.Empty, Directory);
        // Language runtimes read their memory and processor limits there.
        Optional("cgroup2", "/sys/fs/cgroup", Safe | MountFlags.NoExecute, string.Empty, Directory);
        // A fresh boot has an empty /run.
        Optional("tmpfs", "/run", Safe, "mode=0755", Directory);
        if (!writableRoot)
        {
            Optional("tmpfs", "/tmp", Safe, "mode=1777", StickyDirectory);
        }

        // devtmpfs leaves these to user space; shells use them for <(...) and >/dev/stderr.
        _ = GuestFiles.MakeLink("/proc/self/fd", "/dev/fd");
        _ = GuestFiles.MakeLink("/proc/self/fd/0", "/dev/stdin");
        _ = GuestFiles.MakeLink("/proc/self/fd/1", "/dev/stdout");
        _ = GuestFiles.MakeLink("/proc/self/fd/2", "/dev/stderr");
    }

    private static void Optional(string type, string target, MountFlags flags, string options, uint mode)
    {
        _ = GuestFiles.MakeDirectory(target, mode);
        _ = GuestFiles.Mount(type, target, type, flags, options);
    }

    private static void Mount(string source, string target, string type, MountFlags flags, string options, BootStage stage)
    {
        _ = GuestFiles.MakeDirectory(target, Directory);
        Check(GuestFiles.Mount(source, target, type, flags, options), stage, $"mount {source} ({type}) on {target}");
    }

    private static void Check(int result, BootStage stage, string operation) => BootException.Check(result, stage, operation);
}
