using Sandbox.Seccomp;

namespace Sandbox.Testing.Filters;

/// <summary>The policies of the product.</summary>
public static class PolicyFiles
{
    public static string Folder { get; } = Find();

    /// <summary>The names of all policies, as their files are called without the extension.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Directory.GetFiles(Folder, "*.policy").Select(path => Path.GetFileNameWithoutExtension(path)!).Order(StringComparer.Ordinal)];

    /// <summary>The name of each system call by its number.</summary>
    public static IReadOnlyDictionary<int, string> SyscallNames { get; } =
        new NameTable("syscalls.txt", File.ReadAllText(Path.Combine(Folder, "syscalls.txt"))).Values.ToDictionary(entry => (int)entry.Value, entry => entry.Key);

    /// <summary>The rules of a policy file and all it includes.</summary>
    public static IReadOnlyList<SyscallRule> Parse(string policy)
    {
        string Read(string name) => File.ReadAllText(Path.Combine(Folder, name));
        return new PolicyParser(new NameTable("syscalls.txt", Read("syscalls.txt")), new NameTable("constants.txt", Read("constants.txt")), Read).Parse(policy);
    }

    private static string Find()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Sandbox.sln")))
        {
            folder = folder.Parent;
        }

        return Path.Combine(folder?.FullName ?? throw new InvalidOperationException("the tests do not run inside the source tree"), "seccomp");
    }
}
