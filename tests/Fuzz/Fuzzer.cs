using System.Diagnostics;
using System.Reflection;

namespace Sandbox.Fuzz.Tests;

/// <summary>The real fuzzer, run from the root of the clone.</summary>
internal static class Fuzzer
{
    public static string Root { get; } = Metadata("RepositoryRoot");

    public static string[] Targets { get; } = [.. Run(0, "list").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')[0])];

    /// <summary>Its output; fails when it ends with another code.</summary>
    public static string Run(int exitCode, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo("dotnet", ["exec", Metadata("Fuzzer"), .. arguments])
        {
            WorkingDirectory = Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == exitCode, $"sandbox-fuzz {string.Join(' ', arguments)} ended with {process.ExitCode}\n{output}\n{error.Result}");
        return output;
    }

    private static string Metadata(string key) =>
        typeof(Fuzzer).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == key).Value!;
}
