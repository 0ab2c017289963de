namespace Sandbox.Seccomp;

/// <summary>How an argument is compared, on all 64 bits and unsigned.</summary>
public enum Comparison
{
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,

    /// <summary>At least one bit of the value is set (<c>&amp;</c>).</summary>
    AnyBit,

    /// <summary>No bit outside the value is set (<c>in</c>).</summary>
    OnlyBits,
}

/// <summary>One comparison of one argument.</summary>
/// <param name="Index">Which argument, 0 to 5.</param>
/// <param name="Comparison">How.</param>
/// <param name="Value">With what.</param>
public readonly record struct ArgumentTest(int Index, Comparison Comparison, ulong Value)
{
    /// <summary>What the compiled test must decide: the reference meaning, used by the tests.</summary>
    public bool Accepts(ulong argument) => Comparison switch
    {
        Comparison.Equal => argument == Value,
        Comparison.NotEqual => argument != Value,
        Comparison.Less => argument < Value,
        Comparison.LessOrEqual => argument <= Value,
        Comparison.Greater => argument > Value,
        Comparison.GreaterOrEqual => argument >= Value,
        Comparison.AnyBit => (argument & Value) != 0,
        Comparison.OnlyBits => (argument & ~Value) == 0,
        _ => throw new InvalidOperationException("unknown comparison"),
    };
}

/// <summary>What is decided about one syscall: an alternative is a list of tests that must all hold; any alternative grants <paramref name="OnMatch"/>, none <paramref name="Otherwise"/>.</summary>
/// <param name="Number">The x86-64 syscall number.</param>
/// <param name="Alternatives">Empty: <paramref name="OnMatch"/> is unconditional.</param>
/// <param name="OnMatch">The action where an alternative holds.</param>
/// <param name="Otherwise">The action where none does.</param>
public sealed record SyscallRule(int Number, IReadOnlyList<IReadOnlyList<ArgumentTest>> Alternatives, SeccompAction OnMatch, SeccompAction Otherwise)
{
    /// <summary>A rule that grants what either grants; null when they answer differently where they match or do not.</summary>
    public SyscallRule? Extend(SyscallRule other)
    {
        if (OnMatch != other.OnMatch || Otherwise != other.Otherwise)
        {
            return null;
        }

        bool always = Alternatives.Count == 0 || other.Alternatives.Count == 0;
        return this with { Alternatives = always ? [] : [.. Alternatives, .. other.Alternatives.Where(theirs => !Alternatives.Any(theirs.SequenceEqual))] };
    }

    /// <summary>The reference meaning of the rule.</summary>
    public SeccompAction Decide(ReadOnlySpan<ulong> arguments)
    {
        if (Alternatives.Count == 0)
        {
            return OnMatch;
        }

        foreach (IReadOnlyList<ArgumentTest> alternative in Alternatives)
        {
            bool all = true;
            foreach (ArgumentTest test in alternative)
            {
                all &= test.Accepts(arguments[test.Index]);
            }

            if (all)
            {
                return OnMatch;
            }
        }

        return Otherwise;
    }
}
