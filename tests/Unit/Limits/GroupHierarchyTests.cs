using Sandbox.Groups;

namespace Sandbox.Unit.Tests.Limits;

public sealed class GroupHierarchyTests
{
    private static readonly string[] MixedMounts =
    [
        "23 1 0:20 / / rw - ext4 /dev/vda rw",
        "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755",
        "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:7 - cgroup cgroup rw,cpu,cpuacct",
        "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory",
        "38 31 0:35 / /sys/fs/cgroup/blkio rw,relatime - cgroup cgroup rw,blkio",
        "39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids",
        "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw",
        "nonsense",
        "",
    ];

    private static readonly string[] MixedGroups = ["9:name=systemd:/", "8:pids:/", "5:blkio:/", "4:memory:/a/b", "1:cpu,cpuacct:/c", "0::/d", "nonsense"];

    private static readonly GroupController[] Wanted = [GroupController.Memory, GroupController.Threads, GroupController.Processors, GroupController.Disks];

    [Fact]
    public void Trees_OfBothVersions_AreFoundWithOurOwnGroup()
    {
        List<GroupHierarchy> trees = GroupHierarchy.Read(MixedMounts, MixedGroups);
        Assert.Equal(
            ["/sys/fs/cgroup/cpu,cpuacct/c", "/sys/fs/cgroup/memory/a/b", "/sys/fs/cgroup/blkio/", "/sys/fs/cgroup/pids/", "/sys/fs/cgroup/unified/d"],
            trees.Select(static tree => tree.OwnPath));
        Assert.Equal("/sys/fs/cgroup/unified", Assert.Single(trees, static tree => tree.IsVersion2).MountPoint);
    }

    [Theory]
    [InlineData("/", "/x", "/mnt/a b/x")]
    [InlineData("/x", "/x", "/mnt/a b")]
    [InlineData("/x", "/x/y", "/mnt/a b/y")]
    [InlineData("/x", "/xy", "/mnt/a b")] // not below the part that is mounted here
    public void Mount_OfAPartOfTheTree_IsTheStartOfOurPath(string root, string own, string path)
    {
        GroupHierarchy tree = Assert.Single(GroupHierarchy.Read([$"1 2 0:3 {root} /mnt/a\\040b rw - cgroup2 none rw"], [$"0::{own}"]));
        Assert.Equal(path, tree.OwnPath.TrimEnd('/'));
    }

    [Fact]
    public void Parents_InVersion1_AreOurOwnGroups()
    {
        List<ParentGroup> parents = ParentGroup.Choose(GroupHierarchy.Read(MixedMounts, MixedGroups), Wanted, null, static _ => []);
        Assert.Equal(4, parents.Count);
        Assert.Equal("/sys/fs/cgroup/memory/a/b", Assert.Single(parents, static parent => parent.Controllers.Contains(GroupController.Memory)).Path);
        Assert.DoesNotContain(parents, static parent => parent.IsVersion2);
    }

    /// <summary>`systemd-run -p MemoryMax=1G sandbox run`: beside that unit's group the microVM would be out of its limits.</summary>
    [Theory]
    [InlineData("/s", null)]
    [InlineData("/s/a", "/c/s/a")]
    public void Parent_InVersion2_IsNoNeighbourOfAGroupWithLimits(string enabledIn, string? expected)
    {
        List<GroupHierarchy> trees = GroupHierarchy.Read(["1 2 0:3 / /c rw - cgroup2 none rw"], ["0::/s/a"]);
        List<ParentGroup> parents = ParentGroup.Choose(trees, Wanted, null, path => path == "/c" + enabledIn ? (string[])["memory"] : [], static path => path == "/c/s/a");
        Assert.Equal(expected, parents.SingleOrDefault()?.Path);
    }

    [Theory]
    [InlineData("/s/a", "/s", "/s")] // a neighbour of ours
    [InlineData("/s/a", "/s/a", "/s/a")] // ours has been prepared for it
    [InlineData("/", "/", "/")]
    [InlineData("/s/a", "", null)]
    public void Parent_InVersion2_IsOneThatLimitsWhatIsBelow(string own, string enabledIn, string? expected)
    {
        List<GroupHierarchy> trees = GroupHierarchy.Read(["1 2 0:3 / /c rw - cgroup2 none rw"], [$"0::{own}"]);
        List<ParentGroup> parents = ParentGroup.Choose(trees, Wanted, null, path => path.TrimEnd('/') == ("/c" + enabledIn).TrimEnd('/') && enabledIn.Length > 0 ? (string[])["cpu", "io", "memory", "pids"] : []);
        if (expected is null)
        {
            Assert.Empty(parents);
            return;
        }

        ParentGroup parent = Assert.Single(parents);
        Assert.Equal(("/c" + expected).TrimEnd('/'), parent.Path.TrimEnd('/'));
        Assert.Equal(4, parent.Controllers.Count);
    }

    [Fact]
    public void Parent_AskedFor_IsThatOne()
    {
        List<GroupHierarchy> trees = GroupHierarchy.Read(MixedMounts, MixedGroups);
        Assert.All(ParentGroup.Choose(trees, Wanted, "/machine", static _ => []), static parent => Assert.EndsWith("/machine", parent.Path, StringComparison.Ordinal));
    }
}
