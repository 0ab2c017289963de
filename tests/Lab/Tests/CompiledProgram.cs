using System.Diagnostics;

namespace Sandbox.Lab.Tests;

/// <summary>Small C programs of the tests, compiled on the spot and static: they run in any root.</summary>
internal static class CompiledProgram
{
    /// <summary>The path of the program.</summary>
    /// <param name="source">From the root of the clone.</param>
    public static string Of(string source)
    {
        string output = Path.Combine(AppContext.BaseDirectory, Path.GetFileNameWithoutExtension(source));
        using Process compiler = Process.Start(new ProcessStartInfo(
            "gcc", ["-static-pie", "-O1", "-Wall", "-Wextra", "-Werror", "-o", output, Path.Combine(Product.Root, source)]) { RedirectStandardError = true })!;
        string errors = compiler.StandardError.ReadToEnd();
        compiler.WaitForExit();
        return compiler.ExitCode == 0 ? output : throw new InvalidOperationException(errors);
    }
}
