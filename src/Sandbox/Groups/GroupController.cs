namespace Sandbox.Groups;

/// <summary>A part of the kernel that limits a control group (cgroups(7)).</summary>
internal sealed class GroupController
{
    public static readonly GroupController Memory = new("memory", "memory", "memory");
    public static readonly GroupController Threads = new("pids", "pids", "threads");
    public static readonly GroupController Processors = new("cpu", "cpu", "processors");
    public static readonly GroupController Disks = new("blkio", "io", "disk bandwidth");

    private GroupController(string name1, string name2, string words) => (Name1, Name2, Words) = (name1, name2, words);

    /// <summary>The kernel's name in version 1.</summary>
    public string Name1 { get; }

    /// <summary>The kernel's name in version 2 (cgroup.subtree_control).</summary>
    public string Name2 { get; }

    /// <summary>For a message: what it limits.</summary>
    public string Words { get; }

    public override string ToString() => Name2;
}
