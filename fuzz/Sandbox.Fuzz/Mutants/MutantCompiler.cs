using System.Diagnostics;

namespace Sandbox.Fuzz.Mutants;

/// <summary>
/// Compiles one room with one changed file, by the compiler itself: the sources of the clone, what the build has generated, and the
/// assemblies beside this exe as references. Seconds, where a build of the solution takes minutes.
/// </summary>
internal sealed class MutantCompiler(string root)
{
    private readonly string _sdk = Sdk(root);

    /// <summary>Makes a copy of the fuzzer's folder in which the room's assembly is the changed one.</summary>
    /// <returns>The fuzzer to run, in that folder.</returns>
    /// <exception cref="ArgumentException">The mutant does not apply or does not compile.</exception>
    public string Build(Mutant mutant, string folder)
    {
        string sources = Path.Combine(root, "src", mutant.Room == "sandbox-seccomp" ? "Sandbox.Seccomp" : mutant.Room);
        string changed = Path.Combine(sources, mutant.File);
        string mutated = Path.Combine(folder, "changed", Path.GetFileName(mutant.File));
        string bin = Path.Combine(folder, "bin");
        Directory.CreateDirectory(Path.GetDirectoryName(mutated)!);
        Directory.CreateDirectory(bin);
        foreach (string file in Directory.EnumerateFiles(AppContext.BaseDirectory, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(bin, Path.GetRelativePath(AppContext.BaseDirectory, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy, overwrite: true);
        }

        File.WriteAllText(mutated, mutant.Apply(File.ReadAllText(changed)));
        string assembly = mutant.Room switch { "Sandbox.Device" => "sandbox-device", "Sandbox.Vmm" => "sandbox-vmm", _ => mutant.Room };
        string[] arguments =
        [
            "-noconfig", "-nologo", "-nostdlib", "-unsafe", "-checked", "-optimize", "-nullable:enable", "-langversion:14", "-warn:0", "-deterministic",
            mutant.Room is "Sandbox.Device" or "Sandbox.Vmm" or "sandbox-seccomp" ? "-target:exe" : "-target:library",
            $"-out:{Path.Combine(bin, assembly + ".dll")}",
            .. References(assembly).Select(path => $"-r:{path}"),
            .. Sources(sources).Where(path => path != changed),
            .. Generated(mutant.Room == "Sandbox.Memory" ? Path.Combine(root, "fuzz/Sandbox.Memory.Watched") : sources),
            mutated,
        ];
        string response = Path.Combine(folder, "csc.rsp");
        File.WriteAllLines(response, arguments.Select(argument => $"\"{argument}\""));
        using Process csc = Process.Start(new ProcessStartInfo("dotnet", ["exec", Path.Combine(_sdk, "Roslyn/bincore/csc.dll"), "-noconfig", $"@{response}"])
        {
            RedirectStandardOutput = true,
        })!;
        string output = csc.StandardOutput.ReadToEnd();
        csc.WaitForExit();
        return csc.ExitCode == 0 ? Path.Combine(bin, "sandbox-fuzz.dll") : throw new ArgumentException($"mutant {mutant.Name} does not compile:\n{output}");
    }

    private IEnumerable<string> References(string own)
    {
        string packs = Path.Combine(_sdk, "../../packs/Microsoft.NETCore.App.Ref");
        string pack = Directory.EnumerateDirectories(packs).Order(StringComparer.Ordinal).Last();
        return Directory.EnumerateFiles(Path.Combine(pack, "ref/net10.0"), "*.dll")
            .Concat(Directory.EnumerateFiles(AppContext.BaseDirectory, "*.dll", SearchOption.AllDirectories).Where(path => Path.GetFileNameWithoutExtension(path) != own && Path.GetFileName(path) != "sandbox-fuzz.dll"));
    }

    private static IEnumerable<string> Sources(string folder) => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
        .Where(path => !path.StartsWith(Path.Combine(folder, "obj"), StringComparison.Ordinal) && !path.StartsWith(Path.Combine(folder, "bin"), StringComparison.Ordinal));

    // Usings and versions of the build, and filters, which are the same for each configuration.
    private static IEnumerable<string> Generated(string project) => Directory.EnumerateFiles(Path.Combine(project, "obj/Release"), "*.cs", SearchOption.AllDirectories)
        .Concat(Directory.EnumerateFiles(Path.Combine(project, "obj"), "*.cs"));

    // The folder of the SDK that global.json names.
    private static string Sdk(string root)
    {
        using Process dotnet = Process.Start(new ProcessStartInfo("dotnet", ["--info"]) { WorkingDirectory = root, RedirectStandardOutput = true })!;
        string text = dotnet.StandardOutput.ReadToEnd();
        dotnet.WaitForExit();
        const string Label = "Base Path:";
        int at = text.IndexOf(Label, StringComparison.Ordinal) + Label.Length;
        return text[at..text.IndexOf('\n', at)].Trim();
    }
}
