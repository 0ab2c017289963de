using Sandbox.Groups;
using Sandbox.Linux;

namespace Sandbox.Confinement.Tests.Limits;

/// <summary>A real group in this machine's trees, gone when it is disposed.</summary>
internal sealed class TestGroup : IDisposable
{
    private TestGroup(SandboxGroup group) => Group = group;

    internal SandboxGroup Group { get; }

    internal static List<ParentGroup> Parents() => GroupSetup.FindParents(null, [GroupController.Memory, GroupController.Threads, GroupController.Processors]);

    /// <summary>The same trees, but in these new folders of theirs.</summary>
    internal static List<ParentGroup> ParentsIn(List<string> folders) => [.. Parents().Select((parent, index) =>
    {
        if (parent.IsVersion2)
        {
            File.WriteAllText(Path.Join(folders[index], "cgroup.subtree_control"), string.Join(' ', parent.Controllers.Select(controller => $"+{controller.Name2}")));
        }

        return new ParentGroup(parent.IsVersion2, folders[index], parent.Controllers);
    })];

    /// <summary>Null where this user may make none: only root must be able to.</summary>
    internal static TestGroup? Make(GroupLimits limits) => Make(limits, Parents());

    /// <summary>The same, in these.</summary>
    internal static TestGroup? Make(GroupLimits limits, List<ParentGroup> parents)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return null;
        }

        using FdHandle jail = FileOpen.Read(Repository.Exe("sandbox-jail"));
        Assert.Equal(3, parents.Sum(parent => parent.Controllers.Count)); // memory, threads and processors are limited here, in one tree or in three
        SandboxGroup group = SandboxGroup.Make(jail, parents, label: null);
        RefusedLimits refused = new();
        group.Limit(limits, refused);
        Assert.Empty(refused.Lines());
        return new TestGroup(group);
    }

    public void Dispose()
    {
        Group.End();
        Assert.All(Group.Paths, path => Assert.False(Directory.Exists(path)));
        Group.Dispose();
        Assert.Equal("", Jail.ChildProcesses.OfTheSpawner());
    }
}
