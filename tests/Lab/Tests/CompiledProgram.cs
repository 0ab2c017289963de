using System.Collections.Concurrent;
using System.Diagnostics;

namespace Sandbox.Lab.Tests;

/// <summary>
/// Small C programs of the tests, compiled on the spot and static: they run in any root. Once each in a run: a lab host that has seen the file would find another
/// under its name (ESTALE).
/// </summary>
internal static class CompiledProgram
{
    private static readonly ConcurrentDictionary<string, Lazy<string>> Programs = new();

    /// <summary>The path of the program.</summary>
    /// <param name="source">From the root of the clone.</param>
    public static string Of(string source) => Programs.GetOrAdd(source, static name => new Lazy<string>(() => Compile(name))).Value;

    private static string Compile(string source)
    {
        string output = Path.Combine(AppContext.BaseDirectory, Path.GetFileNameWithoutExtension(source));
        using Process compiler = Process.Start(new ProcessStartInfo(
            "gcc", ["-static-pie", "-O1", "-Wall", "-Wextra", "-Werror", "-o", output, Path.Combine(Product.Root, source)]) { RedirectStandardError = true })!;
        string errors = compiler.StandardError.ReadToEnd();
        compiler.WaitForExit();
        return compiler.ExitCode == 0 ? output : throw new InvalidOperationException(errors);
    }
}
