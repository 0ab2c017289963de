using System.Reflection;

namespace Sandbox.Architecture.Tests;

/// <summary>The files of the clone that these tests were built from.</summary>
internal static class Repository
{
    private static readonly string[] BuiltFolders = ["bin", "obj", "artifacts", "TestResults", ".git", ".vs"];

    /// <summary>Absolute path of the clone.</summary>
    public static string Root { get; } = typeof(Repository).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == "RepositoryRoot").Value!;

    /// <summary>Every file that is no build result, with its path from the root.</summary>
    public static IReadOnlyList<string> Files { get; } = [.. Under("").Order(StringComparer.Ordinal)];

    /// <summary>The product's C# files.</summary>
    public static IEnumerable<string> ProductCode => Files.Where(file => file.StartsWith("src/", StringComparison.Ordinal) && file.EndsWith(".cs", StringComparison.Ordinal));

    /// <summary>All C# files.</summary>
    public static IEnumerable<string> Code => Files.Where(file => file.EndsWith(".cs", StringComparison.Ordinal));

    public static string Read(string file) => File.ReadAllText(Path.Combine(Root, file));

    public static string[] ReadLines(string file) => File.ReadAllLines(Path.Combine(Root, file));

    /// <summary>Fails with one line for each violation, so that one run shows all of them.</summary>
    public static void AssertNone(IEnumerable<string> violations)
    {
        string[] found = [.. violations];
        if (found.Length > 0)
        {
            Assert.Fail(string.Join('\n', found));
        }
    }

    private static IEnumerable<string> Under(string folder)
    {
        DirectoryInfo directory = new(Path.Combine(Root, folder));
        foreach (FileInfo file in directory.EnumerateFiles().Where(file => file.Name != ".git"))
        {
            yield return folder + file.Name;
        }

        foreach (DirectoryInfo child in directory.EnumerateDirectories().Where(child => !BuiltFolders.Contains(child.Name) && child.LinkTarget is null))
        {
            foreach (string file in Under($"{folder}{child.Name}/"))
            {
                yield return file;
            }
        }
    }
}
