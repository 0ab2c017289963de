using System.Text.RegularExpressions;
using System.Xml.Linq;
using Sandbox.Bench.Figures;
using Sandbox.Bench.Machines;
using Sandbox.Host;
using Sandbox.Unit.Tests.SeLinux;

namespace Sandbox.Bench.Subjects;

/// <summary>What there is to attack, counted: size of each exe, and the lines of ours that are linked into it.</summary>
internal static partial class SurfaceSubject
{
    private static readonly (string Exe, string Room)[] Exes =
    [
        ("sandbox", "Sandbox.Cli"), ("sandbox-jail", "Sandbox.Jail"), ("sandbox-vmm", "Sandbox.Vmm"), ("sandbox-device", "Sandbox.Device"), ("sandbox-init", "Sandbox.Init"),
    ];

    private static readonly string[] Domains = ["sbx_vmm_t", "sbx_block_t", "sbx_net_t", "sbx_vsock_t", "sbx_rng_t", "sbx_balloon_t"];

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

    /// <summary>The system calls that each filter in the built exes grants.</summary>
    public static Table Filters()
    {
        List<IReadOnlyList<string>> rows = [];
        foreach (FilterReport filter in FilterReport.Inspect(Place.Executables))
        {
            int granted = filter.Calls.Count(static call => call.ErrorNumber == 0);
            int argumentsChecked = filter.Calls.Count(static call => call is { ErrorNumber: 0, ArgumentsChecked: true });
            rows.Add([filter.Name, filter.Executable, $"{granted}", $"{argumentsChecked}", $"{filter.Calls.Count - granted}"]);
        }

        return new Table(
            "System calls per filter", ["filter", "exe", "granted", "of them for some arguments only", "fail without a kill"], rows,
            "Read out of the exes, as `sandbox doctor --filters` does. \"-start\" filters hold until the guest runs.");
    }

    /// <summary>What each domain of the SELinux policy may do.</summary>
    public static Table Triples()
    {
        List<IReadOnlyList<string>> rows = [];
        foreach (string domain in Domains)
        {
            HashSet<(string Type, string Class, string Permission)> triples = PolicyTriples.Of(domain);
            rows.Add([domain, $"{triples.Count}", $"{triples.Select(static triple => triple.Type).Distinct().Count()}"]);
        }

        return new Table(
            "SELinux triples per domain", ["domain", "(type, class, permission)", "types"], rows,
            "The appliance's policy, compiled by secilc and asked by sesearch, attributes spelled out. For comparison, counted in the distributions' own policies: svirt_t 3,826 (Debian) and 19,418 (Fedora), container_kvm_t 34,935.");
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
