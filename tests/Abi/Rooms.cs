using System.Reflection;
using System.Runtime.CompilerServices;

namespace Sandbox.Abi.Tests;

/// <summary>Our declarations: the types of the <c>*.Abi</c> namespaces, and the source files.</summary>
internal static class Rooms
{
    internal static string Source { get; } = Path.GetFullPath(Path.Combine(Here(), "..", "..", "src"));

    /// <summary>Every type of every Abi namespace in the assemblies beside the test.</summary>
    internal static IReadOnlyList<Type> AbiTypes { get; } =
    [
        .. Directory.GetFiles(AppContext.BaseDirectory, "Sandbox.*.dll")
            .Where(path => !path.EndsWith(".Tests.dll", StringComparison.Ordinal))
            .SelectMany(path => Assembly.LoadFrom(path).GetTypes())
            .Where(type => type.Namespace?.EndsWith(".Abi", StringComparison.Ordinal) == true && !type.IsNested),
    ];

    private static string Here([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
