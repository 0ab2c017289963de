using Sandbox.Groups;
using Sandbox.Linux;

namespace Sandbox.Confinement.Tests.Limits;

/// <summary>A real group in this machine's trees, gone when it is disposed.</summary>
internal sealed class TestGroup : IDisposable
{
    private TestGroup(SandboxGroup group) => Group = group;

    internal SandboxGroup Group { get; }

    internal static List<ParentGroup> Parents() => GroupSetup.FindParents(null, [GroupController.Memory, GroupController.Threads, GroupController.Processors]);

    /// <summary>Null where this user may make none: only root must be able to.</summary>
    internal static async Task<TestGroup?> MakeAsync(GroupLimits limits)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return null;
        }

        using FdHandle jail = FileOpen.Read(Repository.Exe("sandbox-jail"));
        List<ParentGroup> parents = Parents();
        Assert.Equal(3, parents.Sum(parent => parent.Controllers.Count)); // memory, threads and processors are limited here, in one tree or in three
        SandboxGroup group = await SandboxGroup.MakeAsync(jail, parents);
        Assert.Empty(group.Limit(limits));
        return new TestGroup(group);
    }

    public void Dispose()
    {
        Group.EndAsync().Wait();
        Assert.All(Group.Paths, path => Assert.False(Directory.Exists(path)));
        Group.Dispose();
        Assert.Equal("", Jail.ChildProcesses.OfTheSpawner());
    }
}
