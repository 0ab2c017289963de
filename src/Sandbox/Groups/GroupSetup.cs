using Sandbox.Launch;
using Sandbox.Linux;

namespace Sandbox.Groups;

/// <summary>
/// Gives a microVM its control groups as far as this host allows, and judges whether that is enough. Everything here waits for the keeper: some
/// milliseconds, not on a caller's thread.
/// </summary>
internal static class GroupSetup
{
    private const string Cure =
        "run as root, or in a delegated group (systemd-run --user --scope -p Delegate=yes), and see `sandbox doctor`";

    /// <summary>What has a default.</summary>
    private static readonly GroupController[] Always = [GroupController.Memory, GroupController.Threads, GroupController.Processors];

    /// <summary>Threads that each process may have, the few of the .NET runtime included.</summary>
    private const int ThreadsPerProcess = 16;

    /// <summary>Root disk, vsock, entropy and network; each further disk has its own, and a balloon.</summary>
    private const int FixedDeviceProcesses = 4;

    /// <param name="jailPath">The exe of the keeper.</param>
    /// <param name="files">The microVM's options and disks.</param>
    /// <param name="label">The SELinux label of the keeper; null: none is given.</param>
    /// <param name="unenforced">Gets a line for what is not held and was not asked for.</param>
    /// <returns>Null when there is no control group to be had.</returns>
    /// <exception cref="SandboxException">A limit that was asked for cannot be held.</exception>
    public static SandboxGroup? Make(string jailPath, LaunchFiles files, string? label, List<string> unenforced)
    {
        bool hasPasst = files.Network is { Passt: not null };
        int devices = FixedDeviceProcesses + files.Disks.Count + (files.Balloon ? 1 : 0) + (hasPasst ? 1 : 0);
        List<string> disks = [];
        if (files.Options.HostLimits.DiskBytesPerSecond is not null)
        {
            foreach (DiskImage disk in (DiskImage[])[files.Root.Disk, .. files.Disks])
            {
                if (BlockDeviceNumber.Of(disk.File) is { } device && !disks.Contains(device))
                {
                    disks.Add(device);
                }
            }
        }

        long threads = (ThreadsPerProcess * (devices + 1L)) + files.Options.CpuCount;
        using FdHandle jail = FileOpen.Read(jailPath);
        return Make(jail, files.Options.HostLimits, GroupLimits.For(files.Options, threads, devices, disks), label, unenforced);
    }

    /// <param name="jail">The opened sandbox-jail, borrowed.</param>
    /// <param name="options">The operator's limits: which were asked for.</param>
    /// <param name="limits">All of them as numbers.</param>
    /// <param name="label">The SELinux label of the keeper; null: none is given.</param>
    /// <param name="unenforced">Gets a line for what is not held and was not asked for.</param>
    /// <returns>Null when there is no control group to be had, or none that a process can enter.</returns>
    /// <exception cref="SandboxException">A limit that was asked for cannot be held.</exception>
    public static SandboxGroup? Make(FdHandle jail, HostLimitOptions options, GroupLimits limits, string? label, List<string> unenforced)
    {
        RefusedLimits refused = new();
        GroupController[] wanted = limits.DiskBytesPerSecond is null ? Always : [.. Always, GroupController.Disks];
        List<ParentGroup> parents = FindUsable(options.ControlGroup, wanted, refused);
        SandboxGroup? group = null;
        try
        {
            group = parents.Count == 0 ? null : SandboxGroup.Make(jail, parents, label);
            group?.Limit(limits, refused);
        }
        catch (LinuxException failure)
        {
            End(group);
            group = null;
            foreach (GroupController controller in wanted)
            {
                refused.Add(controller, failure.Message);
            }
        }

        if (limits.DiskBytesPerSecond is not null && limits.Devices.Count == 0)
        {
            refused.Add(GroupController.Disks, "no disk of the guest lies on a block device");
        }

        if (refused.LineForFirst(controller => options.ControlGroup is not null || GroupLimits.IsAskedFor(controller, options)) is { } asked)
        {
            End(group);
            throw new SandboxException(SandboxErrorKind.HostNotReady, $"{asked}; {Cure}");
        }

        unenforced.AddRange(refused.Lines());
        return group;
    }

    /// <summary>Ends a microVM's groups, and gives back what was held for them. Null: nothing to do.</summary>
    public static void End(SandboxGroup? group)
    {
        group?.End();
        group?.Dispose();
    }

    /// <summary>The parents that a microVM's groups would have, without those in which this user, by their modes, can make none.</summary>
    public static List<ParentGroup> FindUsable(string? asked, GroupController[] wanted, RefusedLimits refused)
    {
        List<ParentGroup> parents = FindParents(asked, wanted);
        foreach (GroupController controller in wanted)
        {
            ParentGroup? parent = parents.Find(parent => parent.Controllers.Contains(controller));
            // A group that was named is simply tried.
            if ((parent is null ? "no control group here limits it" : asked is null ? parent.WhyUnusable : null) is { } why)
            {
                refused.Add(controller, why);
            }
        }

        _ = parents.RemoveAll(parent => parent.Controllers.TrueForAll(refused.Has));
        return parents;
    }

    /// <summary>The parents that they would have.</summary>
    public static List<ParentGroup> FindParents(string? asked, GroupController[] wanted)
    {
        List<GroupHierarchy> trees = GroupHierarchy.Read(KernelText.Lines("/proc/self/mountinfo"), KernelText.Lines("/proc/self/cgroup"));
        if (asked is not null && trees.Find(static tree => tree.IsVersion2) is { } version2)
        {
            Enable(Path.Join(version2.MountPoint, asked), wanted);
        }

        return ParentGroup.Choose(trees, wanted, asked, static path => KernelText.Lines(Path.Join(path, "cgroup.subtree_control")) is [string line] ? line.Split(' ') : [], IsLimited);
    }

    // Not pids.max: systemd gives every unit one, and a microVM's own is far smaller.
    private static bool IsLimited(string path) => Array.Exists(
        (string[])["memory.max", "memory.high", "cpu.max"],
        file => KernelText.Lines(Path.Join(path, file)) is [string limit] && !limit.StartsWith("max", StringComparison.Ordinal));

    // The operator gives us this group: what it has, it may hand on. Ours and those above are not touched.
    private static void Enable(string path, GroupController[] wanted)
    {
        foreach (GroupController controller in wanted)
        {
            _ = KernelText.TryWrite(Path.Join(path, "cgroup.subtree_control"), "+" + controller.Name2); // those that are enabled are read next
        }
    }
}
