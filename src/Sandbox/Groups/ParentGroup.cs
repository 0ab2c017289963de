using Sandbox.Linux;

namespace Sandbox.Groups;

/// <summary>The control group of one tree below which that of a microVM is made.</summary>
internal sealed class ParentGroup
{
    internal ParentGroup(bool isVersion2, string path, List<GroupController> controllers) => (IsVersion2, Path, Controllers) = (isVersion2, path, controllers);

    /// <summary>Which names its files have.</summary>
    public bool IsVersion2 { get; }

    /// <summary>Its folder.</summary>
    public string Path { get; }

    /// <summary>What limits the groups made in it.</summary>
    public List<GroupController> Controllers { get; }

    /// <summary>Why this user cannot make a group in it and move processes there, as far as modes tell without trying; null: they tell nothing against it.</summary>
    public string? WhyUnusable =>
        !HostFeatures.MayWrite(Path) ? $"this user may make no control group in {Path}"
        // Version 2 asks whoever moves a process for the right over the group above both places (cgroups(7)): that is this one, or one above it.
        : IsVersion2 && !HostFeatures.MayWrite(System.IO.Path.Join(Path, "cgroup.procs")) ? $"this user may move no process into groups in {Path}"
        : null;

    /// <summary>Chooses a parent in each tree that has a controller we want, at most one for each controller.</summary>
    /// <param name="trees">The mounted ones.</param>
    /// <param name="controllers">Those that we want.</param>
    /// <param name="asked">The operator's group, as /proc/self/cgroup names it; null for our own, or in version 2 the one above it.</param>
    /// <param name="enabled">The controllers that version 2 gives to the groups below a folder (cgroup.subtree_control), by the kernel's names.</param>
    /// <param name="isLimited">Whether a group of version 2 has limits of its own; null: none has.</param>
    public static List<ParentGroup> Choose(
        List<GroupHierarchy> trees, GroupController[] controllers, string? asked, Func<string, string[]> enabled, Predicate<string>? isLimited = null)
    {
        List<ParentGroup> parents = [];
        List<GroupController> wanted = [.. controllers];
        foreach (GroupHierarchy tree in trees)
        {
            List<GroupController> here = tree.IsVersion2 ? [] : wanted.FindAll(controller => Array.IndexOf(tree.Controllers, controller.Name1) >= 0);
            if (here.Count > 0)
            {
                wanted.RemoveAll(here.Contains);
                parents.Add(new ParentGroup(false, asked is null ? tree.OwnPath : System.IO.Path.Join(tree.MountPoint, asked), here));
            }
        }

        // A controller is in version 1 or in version 2, never in both.
        ParentGroup? best = null;
        foreach (string path in trees.Find(static tree => tree.IsVersion2) is { } version2 ? Candidates(version2, asked, isLimited) : [])
        {
            string[] names = enabled(path);
            ParentGroup candidate = new(true, path, wanted.FindAll(controller => Array.IndexOf(names, controller.Name2) >= 0));
            best = candidate.Controllers.Count > (best?.Controllers.Count ?? 0) ? candidate : best;
        }

        return best is null ? parents : [.. parents, best];
    }

    // A group of version 2 that holds processes, as ours does, cannot hold limited groups too, unless it is the topmost: then a neighbour of it. Not of
    // one that somebody has limited (MemoryMax of a unit): the microVM would get out of those limits.
    private static string[] Candidates(GroupHierarchy tree, string? asked, Predicate<string>? isLimited)
    {
        string own = tree.OwnPath.TrimEnd('/');
        return asked is not null ? [System.IO.Path.Join(tree.MountPoint, asked)]
            : own == tree.MountPoint || isLimited?.Invoke(own) == true ? [own]
            : [own, System.IO.Path.GetDirectoryName(own)!];
    }
}
