using Sandbox.Seccomp;

namespace Sandbox.Unit.Tests.Seccomp;

/// <summary>The policies of the product.</summary>
internal static class PolicyFiles
{
    public static string Folder { get; } = Find();

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
