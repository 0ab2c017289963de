using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Targets;

namespace Sandbox.Fuzz.Commands;

/// <summary>Runs targets in this process.</summary>
internal static class RunCommand
{
    private const int Clean = 0;
    private const int Found = 1;
    private const int Hung = 3;

    public static int List()
    {
        foreach (string name in TargetList.Names)
        {
            using TargetLease lease = TargetList.Open(name);
            Console.WriteLine($"{name,-14} {lease.Target.Subject}");
        }

        return Clean;
    }

    public static int Run(string name, CommandOptions options, int shares = 1)
    {
        using TargetLease lease = TargetList.Open(name);
        IFuzzer target = lease.Target;
        FuzzResult result = FuzzEngine.Run(target, options.Plan(name, shares), input =>
        {
            Report(name, options.FindingsFolder, new Finding(input, $"hang: no end after {Watchdog.Limit.TotalSeconds} s"));
            Environment.Exit(Hung);
        });
        Console.WriteLine(result.Line(name));
        if (result.Finding is null)
        {
            return Clean;
        }

        Report(name, options.FindingsFolder, options.Number("minimise", 1) == 0 ? result.Finding : FuzzEngine.Minimise(target, result.Finding));
        return Found;
    }

    /// <summary>Every target; goes on after a finding.</summary>
    public static int All(CommandOptions options)
    {
        string[] names = [.. TargetList.Names.Where(name => options.Text("except")?.Split(',').Contains(name) != true)];
        int code = Clean;
        foreach (string name in names)
        {
            code |= Run(name, options, names.Length);
        }

        return code;
    }

    public static int Replay(string name, ReadOnlySpan<string> paths)
    {
        using TargetLease lease = TargetList.Open(name);
        int code = Clean;
        int count = 0;
        foreach (string path in paths)
        {
            foreach (string file in Directory.Exists(path) ? Corpus.Files(path) : [path])
            {
                count++;
                using Watchdog watchdog = new(_ => Environment.FailFast($"{file}: hang"));
                if (FuzzEngine.RunOne(lease.Target, File.ReadAllBytes(file), watchdog) is { } finding)
                {
                    Console.Error.WriteLine($"{name}: {file}: {finding.What}");
                    code = Found;
                }
            }
        }

        Console.WriteLine($"{name,-14} {count} inputs replayed");
        return code;
    }

    public static int Minimise(string name, string folder)
    {
        using TargetLease lease = TargetList.Open(name);
        Console.WriteLine($"{name,-14} {Corpus.Minimise(lease.Target, folder)} inputs kept");
        return Clean;
    }

    private static void Report(string name, string folder, Finding finding)
    {
        string path = Corpus.Save(Path.Combine(folder, name), finding.Input);
        Console.Error.WriteLine($"{name}: FINDING {finding.What}");
        Console.Error.WriteLine($"{name}: replay with: sandbox-fuzz replay {name} {path}");
    }
}
