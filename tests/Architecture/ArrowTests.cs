using System.Xml.Linq;

namespace Sandbox.Architecture.Tests;

/// <summary>Which room may reference which (src/ARCHITECTURE.md), and which packages reach the running product.</summary>
public sealed class ArrowTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Sandbox.Cli"] = ["Sandbox", "Sandbox.Linux"],
        ["Sandbox"] = ["Sandbox.Control", "Sandbox.Linux"],
        ["Sandbox.Jail"] = ["Sandbox.Control", "Sandbox.Linux", "Sandbox.Seccomp"],
        ["Sandbox.Vmm"] = ["Sandbox.Control", "Sandbox.VhostUser", "Sandbox.Virtio", "Sandbox.Boot", "Sandbox.Memory", "Sandbox.Kvm", "Sandbox.Linux", "Sandbox.Seccomp"],
        ["Sandbox.Device"] = ["Sandbox.Control", "Sandbox.VhostUser", "Sandbox.Virtio", "Sandbox.Memory", "Sandbox.Linux", "Sandbox.Seccomp"],
        ["Sandbox.Init"] = ["Sandbox.Control", "Sandbox.Linux"],
        ["Sandbox.Probe"] = ["Sandbox.Control", "Sandbox.Linux", "Sandbox.Seccomp"],
        ["Sandbox.Virtio"] = ["Sandbox.Memory"],
        ["Sandbox.Boot"] = ["Sandbox.Memory"],
        ["Sandbox.Memory"] = ["Sandbox.Linux"],
        ["Sandbox.Kvm"] = ["Sandbox.Linux"],
        ["Sandbox.VhostUser"] = [],
        ["Sandbox.Control"] = [],
        ["Sandbox.Seccomp"] = [],
        ["Sandbox.Linux"] = [],
    };

    /// <summary>The fuzzer looks at every room a stranger reaches; nothing looks at it.</summary>
    private static readonly Dictionary<string, string[]> AllowedInFuzz = new()
    {
        ["Sandbox.Memory.Watched"] = ["Sandbox.Linux"],
        ["Sandbox.Fuzz.Cover"] = ["Sandbox.Fuzz"],
        ["Sandbox.Fuzz.Guided"] = ["Sandbox.Fuzz"],
        ["Sandbox.Fuzz"] =
        [
            "Sandbox.Memory.Watched", "Sandbox.Linux", "Sandbox.Control", "Sandbox.VhostUser", "Sandbox.Virtio", "Sandbox.Boot", "Sandbox.Seccomp",
            "Sandbox.Device", "Sandbox.Vmm", "Sandbox", "Sandbox.Cli",
        ],
    };

    /// <summary>Packages whose code is in the shipped exes. Build-time analyzers do not count.</summary>
    private static readonly Dictionary<string, string[]> RuntimePackages = new()
    {
        ["Sandbox.Linux"] = ["Tmds.LibC"],
        ["Sandbox.Memory"] = ["Tmds.LibC"],
        ["Sandbox.Kvm"] = ["Tmds.LibC"],
    };

    private static IEnumerable<string> Projects => Repository.Files.Where(file => file.StartsWith("src/", StringComparison.Ordinal) && file.EndsWith(".csproj", StringComparison.Ordinal));

    [Fact]
    public void ProjectReferences_OfEveryRoom_FollowTheArrows()
    {
        Repository.AssertNone(
            from project in Projects
            let room = Path.GetFileNameWithoutExtension(project)
            from target in Includes(project, "ProjectReference").Select(path => Path.GetFileNameWithoutExtension(path.Replace('\\', '/')))
            where !Allowed.GetValueOrDefault(room, []).Contains(target)
            select $"{room} -> {target} is no arrow of the house");
    }

    [Fact]
    public void ProjectReferences_OfTheFuzzer_FollowItsArrows()
    {
        Repository.AssertNone(
            from project in Repository.Files
            where project.EndsWith(".csproj", StringComparison.Ordinal)
            let room = Path.GetFileNameWithoutExtension(project)
            let inFuzz = project.StartsWith("fuzz/", StringComparison.Ordinal)
            from target in Includes(project, "ProjectReference").Select(path => Path.GetFileNameWithoutExtension(path.Replace('\\', '/')))
            where inFuzz ? !AllowedInFuzz.GetValueOrDefault(room, []).Contains(target) : AllowedInFuzz.ContainsKey(target) && !project.StartsWith("tests/Fuzz/", StringComparison.Ordinal)
            select $"{room} -> {target} is no arrow of the fuzzer");
    }

    [Fact]
    public void Rooms_OnDisk_AreThoseOfTheHouse()
    {
        Repository.AssertNone(
            Projects.Select(project => Path.GetFileNameWithoutExtension(project)).Where(room => !Allowed.ContainsKey(room)).Select(room => $"{room}: a room without arrows"));
    }

    [Fact]
    public void PackageReferences_OfTheProduct_AreThoseAgreed()
    {
        Repository.AssertNone(
            from project in Projects
            let room = Path.GetFileNameWithoutExtension(project)
            from package in Includes(project, "PackageReference")
            where !RuntimePackages.GetValueOrDefault(room, []).Contains(package)
            select $"{room}: package {package} in the running product");
    }

    [Fact]
    public void TransitiveReferences_OfProjects_StayOff()
    {
        Assert.Contains("<DisableTransitiveProjectReferences>true<", Repository.Read("Directory.Build.props"), StringComparison.Ordinal);
        Repository.AssertNone(
            Projects.Where(project => Repository.Read(project).Contains("DisableTransitiveProjectReferences", StringComparison.Ordinal)).Select(project => $"{project} changes DisableTransitiveProjectReferences"));
    }

    private static IEnumerable<string> Includes(string project, string element) =>
        XDocument.Parse(Repository.Read(project)).Descendants(element).Select(item => (string?)item.Attribute("Include")).OfType<string>();
}
