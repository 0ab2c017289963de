namespace Sandbox.Seccomp;

/// <summary>
/// Policy text → rules, in minijail's syntax: <c>name: 1</c>, <c>name: arg1 == A || arg1 in B|C &amp;&amp; arg2 != 0</c>,
/// <c>name: return ENOENT</c>, <c>@include file</c>. Every rule must carry a comment that says who needs it, on its own line or on a
/// comment line right above (a block of rules may share one).
/// </summary>
public sealed class PolicyParser(NameTable syscalls, NameTable constants, Func<string, string> readFile)
{
    private const int MaxIncludeDepth = 4;

    /// <summary>The rules of the file and all it includes. Where both speak of a syscall, what either grants is granted.</summary>
    /// <exception cref="PolicyException">The first line that means nothing, a second rule for one syscall in a file, or rules that contradict an included one.</exception>
    public IReadOnlyList<SyscallRule> Parse(string path)
    {
        Dictionary<int, SyscallRule> rules = [];
        ParseFile(path, rules, depth: 0);
        return [.. rules.Values.OrderBy(rule => rule.Number)];
    }

    private void ParseFile(string path, Dictionary<int, SyscallRule> rules, int depth)
    {
        HashSet<int> own = [];
        if (depth > MaxIncludeDepth)
        {
            throw new PolicyException(path, 0, "includes nest too deep");
        }

        bool explained = false;
        int lineNumber = 0;
        foreach (string raw in readFile(path).Split('\n'))
        {
            lineNumber++;
            string line = raw.Trim();
            if (line.Length == 0)
            {
                explained = false;
                continue;
            }

            if (line[0] == '#')
            {
                explained = true;
                continue;
            }

            int comment = line.IndexOf('#', StringComparison.Ordinal);
            bool explainedHere = comment >= 0;
            line = explainedHere ? line[..comment].TrimEnd() : line;
            if (line.StartsWith("@include ", StringComparison.Ordinal))
            {
                ParseFile(line["@include ".Length..].Trim(), rules, depth + 1);
                continue;
            }

            if (!explained && !explainedHere)
            {
                throw new PolicyException(path, lineNumber, "a rule without a comment that says who needs it");
            }

            SyscallRule rule = ParseRule(path, lineNumber, line);
            if (!own.Add(rule.Number))
            {
                throw new PolicyException(path, lineNumber, $"a second rule for the syscall in '{line}'");
            }

            rules[rule.Number] = rules.TryGetValue(rule.Number, out SyscallRule? included)
                ? included.Extend(rule) ?? throw new PolicyException(path, lineNumber, $"'{line}' contradicts the rule of an included file")
                : rule;
        }
    }

    private SyscallRule ParseRule(string path, int lineNumber, string line)
    {
        int colon = line.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0 || !syscalls.TryGet(line[..colon].Trim(), out ulong number))
        {
            throw new PolicyException(path, lineNumber, $"no known syscall before ':' in '{line}'");
        }

        string body = line[(colon + 1)..].Trim();
        SeccompAction otherwise = SeccompAction.KillProcess;
        int semicolon = body.IndexOf(';', StringComparison.Ordinal);
        if (semicolon >= 0)
        {
            otherwise = ParseReturn(path, lineNumber, body[(semicolon + 1)..].Trim());
            body = body[..semicolon].Trim();
        }

        if (body == "1")
        {
            return new SyscallRule((int)number, [], SeccompAction.Allow, otherwise);
        }

        if (body.StartsWith("return ", StringComparison.Ordinal))
        {
            return new SyscallRule((int)number, [], ParseReturn(path, lineNumber, body), otherwise);
        }

        List<IReadOnlyList<ArgumentTest>> alternatives = [];
        foreach (string alternative in body.Split("||"))
        {
            alternatives.Add([.. alternative.Split("&&").Select(test => ParseTest(path, lineNumber, test.Trim()))]);
        }

        return new SyscallRule((int)number, alternatives, SeccompAction.Allow, otherwise);
    }

    private SeccompAction ParseReturn(string path, int lineNumber, string text)
    {
        if (!text.StartsWith("return ", StringComparison.Ordinal))
        {
            throw new PolicyException(path, lineNumber, $"expected 'return ERRNO', found '{text}'");
        }

        ulong number = ParseValue(path, lineNumber, text["return ".Length..].Trim());
        return number is > 0 and < 4096
            ? SeccompAction.Errno((int)number)
            : throw new PolicyException(path, lineNumber, "an error number is 1 to 4095");
    }

    private ArgumentTest ParseTest(string path, int lineNumber, string text)
    {
        string[] parts = text.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length != 3 || parts[0].Length != 4 || !parts[0].StartsWith("arg", StringComparison.Ordinal) || parts[0][3] is < '0' or > '5')
        {
            throw new PolicyException(path, lineNumber, $"expected 'argN OPERATOR VALUE', found '{text}'");
        }

        Comparison comparison = parts[1] switch
        {
            "==" => Comparison.Equal,
            "!=" => Comparison.NotEqual,
            "<" => Comparison.Less,
            "<=" => Comparison.LessOrEqual,
            ">" => Comparison.Greater,
            ">=" => Comparison.GreaterOrEqual,
            "&" => Comparison.AnyBit,
            "in" => Comparison.OnlyBits,
            _ => throw new PolicyException(path, lineNumber, $"unknown operator '{parts[1]}'"),
        };
        return new ArgumentTest(parts[0][3] - '0', comparison, ParseValue(path, lineNumber, parts[2]));
    }

    // A | B | ~C: names, numbers, and complements on 64 bits.
    private ulong ParseValue(string path, int lineNumber, string text)
    {
        ulong value = 0;
        foreach (string part in text.Split('|'))
        {
            string name = part.Trim();
            bool complement = name.StartsWith('~');
            name = complement ? name[1..] : name;
            if (!NameTable.TryNumber(name, out ulong one) && !constants.TryGet(name, out one))
            {
                throw new PolicyException(path, lineNumber, $"unknown constant '{name}'");
            }

            value |= complement ? ~one : one;
        }

        return value;
    }
}
