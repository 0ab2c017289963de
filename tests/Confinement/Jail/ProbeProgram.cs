using System.Diagnostics;

namespace Sandbox.Confinement.Tests.Jail;

/// <summary>Compiles the probe once for a test run.</summary>
internal static class ProbeProgram
{
    private static readonly Lazy<string> Compiled = new(Compile);

    internal static string Path => Compiled.Value;

    private static string Compile()
    {
        string source = System.IO.Path.Combine(Repository.Root, "tests", "Confinement", "Jail", "probe.c");
        string output = System.IO.Path.Combine(AppContext.BaseDirectory, "jail-probe");
        using Process compiler = Process.Start(new ProcessStartInfo("gcc", ["-static-pie", "-O1", "-Wall", "-Werror", "-o", output, source]) { RedirectStandardError = true })!;
        string errors = compiler.StandardError.ReadToEnd();
        compiler.WaitForExit();
        return compiler.ExitCode == 0 ? output : throw new InvalidOperationException(errors);
    }
}
