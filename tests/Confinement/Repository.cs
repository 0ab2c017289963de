using System.Runtime.CompilerServices;

namespace Sandbox.Confinement.Tests;

/// <summary>Where the tests' own sources and the built exes are.</summary>
internal static class Repository
{
    internal static string Root { get; } = Path.GetFullPath(Path.Combine(Here(), "..", ".."));

    internal static string Exes { get; } = Path.Combine(Root, "artifacts", "bin");

    internal static string Exe(string name)
    {
        string path = Path.Combine(Exes, name);
        return File.Exists(path) ? path : throw new FileNotFoundException($"{path} is missing: run `make build` first");
    }

    private static string Here([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
