using System.Collections.Concurrent;
using System.Diagnostics;

namespace Sandbox.Confinement.Tests.Jail;

/// <summary>The C programs of this folder, each compiled once for a test run. Static: the jail's root holds no loader.</summary>
internal static class CProgram
{
    private static readonly ConcurrentDictionary<string, Lazy<string>> Compiled = [];

    /// <summary>Runs in the place of a sandbox process and says what it finds.</summary>
    internal static string Probe => PathOf("probe");

    /// <summary>Stops the jail stage at each of its system calls.</summary>
    internal static string Tracer => PathOf("tracer");

    /// <summary>Stands in for the keeper of control groups on a host whose groups nobody may enter.</summary>
    internal static string Refuser => PathOf("refuser");

    private static string PathOf(string name) => Compiled.GetOrAdd(name, static name => new(() => Compile(name))).Value;

    private static string Compile(string name)
    {
        string source = Path.Combine(Repository.Root, "tests", "Confinement", "Jail", name + ".c");
        string output = Path.Combine(AppContext.BaseDirectory, "jail-" + name);
        using Process compiler = Process.Start(new ProcessStartInfo("gcc", ["-static-pie", "-O1", "-Wall", "-Werror", "-o", output, source]) { RedirectStandardError = true })!;
        string errors = compiler.StandardError.ReadToEnd();
        compiler.WaitForExit();
        return compiler.ExitCode == 0 ? output : throw new InvalidOperationException(errors);
    }
}
