using System.Diagnostics;

namespace Sandbox.Bench.Machines;

/// <summary>Where things are in the checkout, and the tools that are built on first use.</summary>
internal static class Place
{
    /// <summary>The checkout.</summary>
    public static string Root { get; } = FindRoot();

    public static string Executables => Path.Combine(Root, "artifacts", "bin");

    /// <summary>Where the report and what is compiled for it goes.</summary>
    public static string Output { get; } = Directory.CreateDirectory(Path.Combine(Root, "artifacts", "bench")).FullName;

    public static string Exe(string name) => Path.Combine(Executables, name);

    public static string MicroGuest(string name) => Path.Combine(Root, "artifacts", "micro", name + ".elf");

    /// <summary>Compiles a counterpart in C (tests/Bench/peers) and returns its path.</summary>
    public static string Peer(string name)
    {
        string source = Path.Combine(Root, "tests", "Bench", "peers", name + ".c");
        string exe = Path.Combine(Output, name);
        Run("gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", exe, source);
        return exe;
    }

    /// <summary>Runs a tool to its end and returns what it printed.</summary>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public static string Run(string tool, params ReadOnlySpan<string> arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(tool, arguments.ToArray()) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{tool} {string.Join(' ', arguments!)} ended with {process.ExitCode}");
    }

    private static string FindRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Sandbox.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("the bench does not run inside the source tree");
    }
}
