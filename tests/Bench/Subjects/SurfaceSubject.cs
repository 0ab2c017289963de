using System.Text.RegularExpressions;
using System.Xml.Linq;
using Sandbox.Bench.Figures;
using Sandbox.Bench.Machines;

namespace Sandbox.Bench.Subjects;

/// <summary>What there is to attack, counted: size of each exe, and the lines of ours that are linked into it.</summary>
internal static partial class SurfaceSubject
{
    private static readonly (string Exe, string Room)[] Exes =
    [
        ("sandbox", "Sandbox.Cli"), ("sandbox-jail", "Sandbox.Jail"), ("sandbox-vmm", "Sandbox.Vmm"), ("sandbox-device", "Sandbox.Device"), ("sandbox-init", "Sandbox.Init"),
    ];

    public static Table Count()
    {
        List<IReadOnlyList<string>> rows = [];
        foreach ((string exe, string room) in Exes)
        {
            HashSet<string> rooms = [];
            AddWithReferences(Path.Combine(Place.Root, "src", room, room + ".csproj"), rooms);
            int lines = rooms.Sum(static folder => CodeLines(folder));
            int dangerous = rooms.Sum(static folder => CodeLines(folder, "*.Unsafe.cs"));
            rows.Add([exe, $"{new FileInfo(Place.Exe(exe)).Length / 1024.0 / 1024:F2}", $"{lines:N0}", $"{dangerous:N0}"]);
        }

        return new Table(
            "Attack surface", ["exe", "size MiB", "lines of ours", "of them in *.Unsafe.cs"], rows,
            "Lines with code on them, of the rooms that the exe references (src/*); the .NET runtime is not counted.");
    }

    private static void AddWithReferences(string project, HashSet<string> folders)
    {
        if (!folders.Add(Path.GetDirectoryName(project)!))
        {
            return;
        }

        foreach (XElement reference in XDocument.Load(project).Descendants("ProjectReference"))
        {
            AddWithReferences(Path.GetFullPath(Path.Combine(Path.GetDirectoryName(project)!, (string)reference.Attribute("Include")!)), folders);
        }
    }

    private static int CodeLines(string folder, string pattern = "*.cs") =>
        Directory.EnumerateFiles(folder, pattern, SearchOption.AllDirectories)
            .Where(static file => !Generated().IsMatch(file))
            .Sum(static file => File.ReadLines(file).Count(static line => Code().IsMatch(line)));

    [GeneratedRegex("/(obj|bin)/")]
    private static partial Regex Generated();

    [GeneratedRegex(@"^\s*[^/\s{}]")]
    private static partial Regex Code();
}
