using System.Diagnostics;
using System.Reflection;

namespace Sandbox.Unit.Tests.SeLinux;

/// <summary>The policy, compiled by Debian's secilc and asked by Debian's setools: no kernel with SELinux is needed.</summary>
internal static class PolicyTool
{
    private static readonly Lazy<string> Compiled = new(() =>
    {
        string folder = Directory.CreateTempSubdirectory("sandbox-policy-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        (int code, string said) = Compile(folder, "");
        return code == 0 ? Path.Combine(folder, "policy") : throw new InvalidOperationException(said);
    });

    public static string Folder { get; } = Path.Combine(
        typeof(PolicyTool).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "RepositoryRoot").Value!, "src/selinux");

    /// <summary>The appliance's policy.</summary>
    public static string Policy => Compiled.Value;

    /// <summary>Compiles the appliance's policy with more text at its end. The exit code, and what the compiler said.</summary>
    public static (int Code, string Said) CompileWith(string more)
    {
        string folder = Directory.CreateTempSubdirectory("sandbox-policy-").FullName;
        try
        {
            return Compile(folder, more);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    public static string Run(string tool, params string[] arguments)
    {
        (int code, string said) = Start(tool, arguments);
        return code == 0 ? said : throw new InvalidOperationException($"{tool} {string.Join(' ', arguments)}: {said}");
    }

    private static (int Code, string Said) Compile(string folder, string more)
    {
        string extra = Path.Combine(folder, "extra.cil");
        File.WriteAllText(extra, more);
        string[] texts = ["appliance/classes.cil", "appliance/categories.cil", "appliance/base.cil", "appliance/passt.cil", "sandbox.cil", "neverallow.cil"];
        return Start(
            "secilc", ["-c", "33", "-o", Path.Combine(folder, "policy"), "-f", Path.Combine(folder, "file_contexts"), .. texts.Select(text => Path.Combine(Folder, text)), extra]);
    }

    private static (int Code, string Said) Start(string tool, IReadOnlyList<string> arguments)
    {
        ProcessStartInfo start = new(tool, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }
}
