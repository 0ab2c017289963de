using System.Diagnostics;
using System.Globalization;
using Sandbox.Fuzz.Mutants;

namespace Sandbox.Fuzz.Commands;

/// <summary>Plants each flaw and lets its target look for it, from random bytes alone: no corpus tells it where to look.</summary>
internal static class MutantsCommand
{
    private const int Hung = 3;

    /// <summary>0 when every flaw was found within its limit. Runs from the root of the clone.</summary>
    public static int Run(CommandOptions options)
    {
        string root = Directory.GetCurrentDirectory();
        string[]? only = options.Text("only")?.Split(',');
        MutantCompiler compiler = new(root);
        int missed = 0;
        HashSet<string> controlled = [];
        foreach (string path in Directory.EnumerateFiles(Path.Combine(root, "fuzz/mutants"), "*.mutant").Order(StringComparer.Ordinal))
        {
            Mutant mutant = Mutant.Read(path);
            if (only is not null && !only.Contains(mutant.Name[..2]))
            {
                continue;
            }

            string folder = Path.Combine(root, "artifacts/fuzz/mutants", mutant.Name);
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }

            // The room compiled in the same way without the flaw: a finding in that would make every other one worthless.
            if (controlled.Add(mutant.Room) && Look(mutant, compiler.Build(mutant.Control(), folder), folder, ["--execs", "500"]) is { Found: true } wrong)
            {
                throw new ArgumentException($"mutant {mutant.Name}: its target also fails without the flaw: {wrong.How}");
            }

            string fuzzer = compiler.Build(mutant, folder);
            (bool found, TimeSpan after, string how) = Look(
                mutant, fuzzer, folder, ["--time", Text((long)mutant.Limit.TotalSeconds), "--seed", Text(options.Number("seed", 1))]);
            missed += found ? 0 : 1;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"| {mutant.Name} | {mutant.Target} | {(found ? "found" : "NOT FOUND")} | {after.TotalSeconds:F1} s of {mutant.Limit.TotalSeconds} s | {how} |"));
        }

        return missed == 0 ? 0 : 1;
    }

    private static (bool Found, TimeSpan After, string How) Look(Mutant mutant, string fuzzer, string folder, string[] plan)
    {
        Stopwatch clock = Stopwatch.StartNew();
        string crash = Path.Combine(folder, "findings", mutant.Target, "crash");
        using Process process = Process.Start(new ProcessStartInfo(
            "dotnet", ["exec", fuzzer, "run", mutant.Target, .. plan, "--findings", Path.Combine(folder, "findings"), "--minimise", "0"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        string line = error.Split('\n').FirstOrDefault(text => text.Contains("FINDING", StringComparison.Ordinal)) ?? "";
        line = line[(line.IndexOf("FINDING", StringComparison.Ordinal) + 1)..].Replace("INDING ", "", StringComparison.Ordinal).Replace('|', '/');
        _ = output.Result;
        string how = process.ExitCode switch
        {
            0 => "",
            1 or Hung => line[..Math.Min(line.Length, 110)],
            _ when File.Exists(crash) => $"the process crashed ({process.ExitCode})",
            _ => throw new ArgumentException($"mutant {mutant.Name}: the fuzzer ended with {process.ExitCode}: {error}"),
        };
        return (process.ExitCode != 0, clock.Elapsed, how);
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
