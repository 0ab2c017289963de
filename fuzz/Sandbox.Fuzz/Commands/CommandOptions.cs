using System.Globalization;
using Sandbox.Fuzz.Engine;

namespace Sandbox.Fuzz.Commands;

/// <summary>Pairs of --name value.</summary>
internal sealed class CommandOptions
{
    private readonly Dictionary<string, string> _values = [];

    public CommandOptions(ReadOnlySpan<string> words)
    {
        for (int index = 0; index < words.Length; index += 2)
        {
            if (!words[index].StartsWith("--", StringComparison.Ordinal) || index + 1 == words.Length)
            {
                throw new ArgumentException($"expected --name value at '{words[index]}'");
            }

            _values[words[index][2..]] = words[index + 1];
        }
    }

    public string FindingsFolder => Text("findings") ?? "artifacts/fuzz/findings";

    public string? Text(string name) => _values.GetValueOrDefault(name);

    public long Number(string name, long otherwise) =>
        Text(name) is not { } text ? otherwise
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) ? value
        : throw new ArgumentException($"--{name} takes a number, not '{text}'");

    /// <summary>The plan for one target; the corpus folder holds a folder for each.</summary>
    public FuzzPlan Plan(string target, int shares = 1)
    {
        long executions = Number("execs", 0);
        double seconds = Number("time", executions == 0 ? 10 : 0);
        return new FuzzPlan(
            TimeSpan.FromSeconds(seconds / shares),
            executions,
            (ulong)Number("seed", 1),
            Text("corpus") is { } corpus ? Path.Combine(corpus, target) : null,
            Text("save") is { } save ? Path.Combine(save, target) : null,
            Path.Combine(FindingsFolder, target, "crash"));
    }
}
