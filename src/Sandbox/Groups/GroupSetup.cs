using Sandbox.Launch;
using Sandbox.Linux;

namespace Sandbox.Groups;

/// <summary>Gives a microVM its control groups as far as this host allows, and judges whether that is enough.</summary>
internal static class GroupSetup
{
    private const string Cure =
        "run as root, or in a delegated group (systemd-run --user --scope -p Delegate=yes), and see `sandbox doctor`";

    /// <summary>What has a default.</summary>
    private static readonly GroupController[] Always = [GroupController.Memory, GroupController.Threads, GroupController.Processors];

    /// <summary>Threads that each process may have, the few of the .NET runtime included.</summary>
    private const int ThreadsPerProcess = 16;

    /// <summary>Root disk, vsock, entropy and network; each further disk has its own.</summary>
    private const int FixedDeviceProcesses = 4;

    /// <param name="jailPath">The exe of the keeper.</param>
    /// <param name="files">The microVM's options and disks.</param>
    /// <param name="unenforced">Gets a line for each limit that is not held and was not asked for.</param>
    /// <returns>Null when there is no control group to be had.</returns>
    /// <exception cref="SandboxException">A limit that was asked for cannot be held.</exception>
    public static async Task<SandboxGroup?> MakeAsync(string jailPath, LaunchFiles files, List<string> unenforced)
    {
        int devices = FixedDeviceProcesses + files.Disks.Count;
        List<string> disks = [];
        foreach (DiskImage disk in (DiskImage[])[files.Root.Disk, .. files.Disks])
        {
            if (BlockDeviceNumber.Of(disk.File) is { } device && !disks.Contains(device))
            {
                disks.Add(device);
            }
        }

        long threads = (ThreadsPerProcess * (devices + 1L)) + files.Options.CpuCount;
        using FdHandle jail = FileOpen.Read(jailPath);
        return await MakeAsync(jail, files.Options.HostLimits, GroupLimits.For(files.Options, threads, devices, disks), unenforced).ConfigureAwait(false);
    }

    /// <param name="jail">The opened sandbox-jail, borrowed.</param>
    /// <param name="options">The operator's limits: which were asked for.</param>
    /// <param name="limits">All of them as numbers.</param>
    /// <param name="unenforced">Gets a line for each limit that is not held and was not asked for.</param>
    /// <returns>Null when there is no control group to be had.</returns>
    /// <exception cref="SandboxException">A limit that was asked for cannot be held.</exception>
    public static async Task<SandboxGroup?> MakeAsync(FdHandle jail, HostLimitOptions options, GroupLimits limits, List<string> unenforced)
    {
        Dictionary<GroupController, string> refused = [];
        GroupController[] wanted = limits.DiskBytesPerSecond is null ? Always : [.. Always, GroupController.Disks];
        List<ParentGroup> parents = FindParents(options.ControlGroup, wanted);
        foreach (GroupController controller in wanted)
        {
            if (!parents.Exists(parent => parent.Controllers.Contains(controller)))
            {
                refused[controller] = $"no control group here limits it (controller {controller.Name2})";
            }
        }

        SandboxGroup? group = null;
        try
        {
            group = parents.Count == 0 ? null : await SandboxGroup.MakeAsync(jail, parents).ConfigureAwait(false);
            foreach ((GroupController controller, string reason) in group?.Limit(limits) ?? [])
            {
                refused[controller] = reason;
            }

            if (limits.DiskBytesPerSecond is not null && limits.Devices.Count == 0)
            {
                refused[GroupController.Disks] = "no disk of the guest lies on a block device";
            }
        }
        catch (Exception failure) when (failure is JailException or LinuxException)
        {
            foreach (GroupController controller in wanted)
            {
                refused.TryAdd(controller, failure.Message);
            }
        }

        try
        {
            Judge(options, wanted, refused, unenforced);
            return group;
        }
        catch
        {
            await SandboxGroup.EndAsync(group).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The parents that a microVM's groups would have, for the making and for a report.</summary>
    public static List<ParentGroup> FindParents(string? asked, GroupController[] wanted)
    {
        List<GroupHierarchy> trees = GroupHierarchy.Read(Lines("/proc/self/mountinfo"), Lines("/proc/self/cgroup"));
        if (asked is not null && trees.Find(static tree => tree.IsVersion2) is { } version2)
        {
            Enable(Path.Join(version2.MountPoint, asked), wanted);
        }

        return ParentGroup.Choose(trees, wanted, asked, static path => Lines(Path.Join(path, "cgroup.subtree_control")) is [string line] ? line.Split(' ') : []);
    }

    // The operator gives us this group: what it has, it may hand on. Ours and those above are not touched.
    private static void Enable(string path, GroupController[] wanted)
    {
        foreach (GroupController controller in wanted)
        {
            try
            {
                using FdHandle file = FileOpen.Write(Path.Join(path, "cgroup.subtree_control"));
                _ = FdIo.WriteAll(file.Number, System.Text.Encoding.ASCII.GetBytes($"+{controller.Name2}"));
            }
            catch (LinuxException)
            {
                // The controllers that are enabled are read next.
            }
        }
    }

    private static void Judge(HostLimitOptions options, GroupController[] wanted, Dictionary<GroupController, string> refused, List<string> unenforced)
    {
        foreach (GroupController controller in wanted)
        {
            if (!refused.TryGetValue(controller, out string? reason))
            {
                continue;
            }

            string line = $"the limit for {controller.Words} is not held: {reason}";
            if (options.ControlGroup is not null || GroupLimits.IsAskedFor(controller, options))
            {
                throw new SandboxException(SandboxErrorKind.HostNotReady, $"{line}; {Cure}");
            }

            unenforced.Add(line);
        }
    }

    private static string[] Lines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
