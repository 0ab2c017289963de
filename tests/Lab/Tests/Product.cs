using System.Reflection;

namespace Sandbox.Lab.Tests;

/// <summary>Where the clone that these tests were built from keeps what they run.</summary>
internal static class Product
{
    public static string Root { get; } = typeof(Product).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == "RepositoryRoot").Value!;

    public static string Exe { get; } = Path.Combine(Root, "artifacts/bin/sandbox");

    public static string DebianRoot { get; } = Path.Combine(Root, "artifacts/debian-root");

    public static string Share(string path) => Path.Combine(Root, "artifacts/share", path);
}
