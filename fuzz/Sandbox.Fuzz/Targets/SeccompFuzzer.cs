using System.Globalization;
using System.Text;
using Sandbox.Fuzz.Engine;
using Sandbox.Seccomp;
using Sandbox.Unit.Tests.Seccomp;

namespace Sandbox.Fuzz.Targets;

/// <summary>The filter compiler: for any policy text the compiled program decides each call as the rules say, and as libseccomp's program does, or the text is refused with a reason.</summary>
internal sealed class SeccompFuzzer : IFuzzer
{
    private const uint X8664 = 0xC000_003E;

    private static readonly string[] Operators = ["==", "!=", "<", "<=", ">", ">=", "&", "in"];
    private static readonly string[] Values = ["0", "1", "0xFFFFFFFF", "0x100000000", "0xFFFFFFFFFFFFFFFF", "A", "B|C", "~A", "A|~B", "4294967295", "0x8000000000000000"];

    private static readonly NameTable Constants = new("constants", "A 1\nB 0x80000000\nC 0xFFFFFFFF00000000\nENOENT 2\n");
    private static readonly NameTable Calls = new("calls", MakeCalls());

    public string Name => "seccomp";

    public string Subject => "policy text to filter program, against the meaning of the rules";

    public int MaxInputBytes => 384;

    public void Run(ReadOnlySpan<byte> bytes)
    {
        InputReader input = new(bytes);
        string text = Text(ref input);
        IReadOnlyList<SyscallRule> rules;
        byte[] program;
        try
        {
            rules = new PolicyParser(Calls, Constants, path => path == "main" ? text : path == "shared" ? "# shared\ncall7: 1\n@include shared2" : throw new PolicyException(path, 0, "no such file")).Parse("main");
            program = FilterCompiler.ToBytes(FilterCompiler.Compile(rules, SeccompAction.KillProcess));
        }
        catch (Exception refused) when (refused is PolicyException or ArgumentException)
        {
            Reached.Note(1, refused.Message.Length / 16);
            return;
        }

        Reached.Note(2, rules.Count / 8);
        if (input.OneIn(SaidToTheOther))
        {
            CompareWithLibseccomp([.. rules.Where(Libseccomp.CanSay)], InputReader.Seed(bytes), text);
        }

        Span<ulong> arguments = stackalloc ulong[6];
        for (int trial = 0; trial < 24; trial++)
        {
            foreach (ref ulong argument in arguments)
            {
                argument = Interesting(ref input, rules);
            }

            uint number = rules.Count != 0 && trial % 4 != 0 ? (uint)rules[input.Byte() % rules.Count].Number : input.Byte();
            SyscallRule? rule = rules.FirstOrDefault(candidate => candidate.Number == number);
            Require(BpfInterpreter.Run(program, X8664, number, arguments), rule?.Decide(arguments) ?? SeccompAction.KillProcess, number, text);
            Require(BpfInterpreter.Run(program, X8664, number | 0x4000_0000, arguments), SeccompAction.KillProcess, number, text);
            Require(BpfInterpreter.Run(program, 0x4000_0003, number, arguments), SeccompAction.KillProcess, number, text);
        }
    }

    // Its answer takes ten times as long as ours: one input in some is enough, and the others are quick.
    private const int SaidToTheOther = 16;

    private static void CompareWithLibseccomp(IReadOnlyList<SyscallRule> rules, ulong seed, string text)
    {
        byte[] ours = FilterCompiler.ToBytes(FilterCompiler.Compile(rules, SeccompAction.KillProcess));
        byte[] theirs = Libseccomp.Compile(rules);
        Reached.Note(3, rules.Count / 8);
        Span<byte> choices = stackalloc byte[1024];
        Span<ulong> arguments = stackalloc ulong[6];
        SeededRandom random = new(seed);
        foreach (SyscallRule rule in rules)
        {
            uint number = (uint)rule.Number;
            random.Fill(choices);
            InputReader input = new(choices);
            for (int trial = 0; trial < 8; trial++)
            {
                foreach (ref ulong argument in arguments)
                {
                    argument = Interesting(ref input, [rule]);
                }

                Satisfy(ref input, rule, arguments);
                uint theirAnswer = BpfInterpreter.Run(theirs, X8664, number, arguments);
                if (BpfInterpreter.Run(ours, X8664, number, arguments) != theirAnswer)
                {
                    throw new FindingException($"seccomp: libseccomp gives call {number} with {string.Join(' ', arguments.ToArray().Select(static value => value.ToString("x", CultureInfo.InvariantCulture)))} 0x{theirAnswer:x}, the rules give 0x{rule.Decide(arguments).Value:x}; policy:\n{text}");
                }
            }
        }
    }

    // What one alternative names, in some of the places: with arguments each chosen alone, several tests would hardly ever hold together.
    private static void Satisfy(ref InputReader input, SyscallRule rule, Span<ulong> arguments)
    {
        if (rule.Alternatives.Count == 0)
        {
            return;
        }

        foreach (ArgumentTest test in rule.Alternatives[input.Byte() % rule.Alternatives.Count])
        {
            arguments[test.Index] = input.Below(6) switch { 0 => arguments[test.Index], 1 => unchecked(test.Value + 1), 2 => unchecked(test.Value - 1), _ => test.Value };
        }
    }

    // Near the values that the rules name, where a comparison goes wrong.
    private static ulong Interesting(ref InputReader input, IReadOnlyList<SyscallRule> rules)
    {
        if (rules.Count == 0 || input.OneIn(3))
        {
            return input.Edge();
        }

        SyscallRule rule = rules[input.Byte() % rules.Count];
        if (rule.Alternatives.Count == 0)
        {
            return input.Edge();
        }

        IReadOnlyList<ArgumentTest> tests = rule.Alternatives[input.Byte() % rule.Alternatives.Count];
        ulong value = tests[input.Byte() % tests.Count].Value;
        return unchecked(input.Below(6) switch { 0 => value + 1, 1 => value - 1, 2 => value ^ (1UL << input.Below(64)), 3 => ~value, _ => value });
    }

    private static string Text(ref InputReader input)
    {
        StringBuilder text = new("# why\n");
        for (int line = 1 + input.Below(input.OneIn(6) ? 64 : 8); line != 0; line--)
        {
            if (input.OneIn(40))
            {
                text.Append(Encoding.Latin1.GetString(input.Bytes(16))).Append('\n');
                continue;
            }

            text.Append(input.OneIn(30) ? "@include shared\n" : "").Append(CultureInfo.InvariantCulture, $"call{input.Byte() % 200}: ");
            int form = input.Below(8);
            if (form == 0)
            {
                text.Append("1\n");
            }
            else if (form == 1)
            {
                text.Append("return ENOENT\n");
            }
            else
            {
                int alternatives = 1 + input.Below(input.OneIn(8) ? 20 : 3);
                for (int index = 0; index < alternatives; index++)
                {
                    text.Append(index == 0 ? "" : " || ");
                    int tests = 1 + input.Below(input.OneIn(8) ? 16 : 3);
                    for (int test = 0; test < tests; test++)
                    {
                        text.Append(test == 0 ? "" : " && ").Append(CultureInfo.InvariantCulture, $"arg{input.Below(6)} {input.Pick<string>(Operators)} {input.Pick<string>(Values)}");
                    }
                }

                text.Append(input.OneIn(4) ? "; return 7\n" : "\n");
            }
        }

        return text.ToString();
    }

    private static void Require(uint decided, SeccompAction right, uint number, string text)
    {
        if (decided != right.Value)
        {
            throw new FindingException($"seccomp: call {number} gets 0x{decided:x}, the rules give 0x{right.Value:x}; policy:\n{text}");
        }
    }

    private static string MakeCalls()
    {
        StringBuilder text = new();
        for (int number = 0; number < 200; number++)
        {
            text.Append(CultureInfo.InvariantCulture, $"call{number} {number}\n");
        }

        return text.ToString();
    }
}
