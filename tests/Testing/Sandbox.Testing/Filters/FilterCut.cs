using System.Globalization;
using Sandbox.Seccomp;

namespace Sandbox.Testing.Filters;

/// <summary>A policy that lacks the smallest thing it can lack: a rule, one alternative of a rule, or one bit of what an alternative lets pass.</summary>
/// <param name="Policy">Name of the policy.</param>
/// <param name="Name">What was taken away, in the words of the policy; a bit is shown as <c>without 0x…</c>.</param>
/// <param name="Rest">The rules that are left.</param>
public sealed record FilterCut(string Policy, string Name, IReadOnlyList<SyscallRule> Rest)
{
    /// <summary>Every cut of a policy.</summary>
    public static IReadOnlyList<FilterCut> Of(string policy)
    {
        IReadOnlyList<SyscallRule> rules = PolicyFiles.Parse(policy + ".policy");
        List<FilterCut> cuts = [];
        foreach (SyscallRule rule in rules)
        {
            IEnumerable<SyscallRule> others = rules.Where(other => other != rule);
            string name = PolicyFiles.SyscallNames[rule.Number];
            if (rule.Alternatives.Count == 0)
            {
                cuts.Add(new(policy, name, [.. others]));
            }

            for (int index = 0; index < rule.Alternatives.Count; index++)
            {
                IReadOnlyList<ArgumentTest> alternative = rule.Alternatives[index];
                IReadOnlyList<ArgumentTest>[] rest = [.. rule.Alternatives.Where(other => other != alternative)];
                cuts.Add(new(policy, $"{name}: {Text(alternative)}", rest.Length == 0 ? [.. others] : [.. others, rule with { Alternatives = rest }]));
                cuts.AddRange(
                    from narrower in Narrower(alternative)
                    select new FilterCut(policy, $"{name}: {Text(alternative)} without 0x{narrower.Bit:x}", [.. others, rule with { Alternatives = [.. rest, narrower.Alternative] }]));
            }
        }

        return cuts;
    }

    /// <summary>The cut of that name.</summary>
    public static FilterCut Find(string policy, string name) => Of(policy).Single(cut => cut.Name == name);

    // An `in` that holds several bits, with each of them gone.
    private static IEnumerable<(ulong Bit, IReadOnlyList<ArgumentTest> Alternative)> Narrower(IReadOnlyList<ArgumentTest> alternative) =>
        from test in alternative
        where test.Comparison == Comparison.OnlyBits && ulong.PopCount(test.Value) is > 1 and < 32
        from position in Enumerable.Range(0, 64)
        let bit = 1UL << position
        where (test.Value & bit) != 0
        select (bit, (IReadOnlyList<ArgumentTest>)[.. alternative.Select(other => other == test ? test with { Value = test.Value & ~bit } : other)]);

    private static string Text(IReadOnlyList<ArgumentTest> alternative) => string.Join(" && ", alternative.Select(static test => test.Comparison switch
    {
        Comparison.Equal => string.Create(CultureInfo.InvariantCulture, $"arg{test.Index} == 0x{test.Value:x}"),
        Comparison.OnlyBits => string.Create(CultureInfo.InvariantCulture, $"arg{test.Index} in 0x{test.Value:x}"),
        _ => throw new NotSupportedException($"no policy of the product compares so yet: {test.Comparison}"),
    }));
}
