namespace Sandbox.Seccomp;

/// <summary>Rules → a classic BPF program: architecture check, x32 refused, then a balanced tree over the syscall numbers.</summary>
public static class FilterCompiler
{
    /// <summary>The most tests in one alternative: keeps every conditional jump within the 8 bits it has.</summary>
    public const int MaxTests = 12;

    /// <summary>BPF_MAXINSNS (linux/bpf_common.h): the most the kernel takes.</summary>
    public const int MaxInstructions = 4096;

    private const uint ArchitectureX8664 = 0xC000_003E; // AUDIT_ARCH_X86_64
    private const uint X32Bit = 0x4000_0000;            // __X32_SYSCALL_BIT
    private const uint NumberOffset = 0;                // offsetof(struct seccomp_data, nr)
    private const uint ArchitectureOffset = 4;          // offsetof(struct seccomp_data, arch)

    /// <summary>Compiles; a syscall without a rule gets <paramref name="defaultAction"/>.</summary>
    /// <exception cref="ArgumentException">Two rules for one syscall, an alternative too long, or a program too long.</exception>
    public static IReadOnlyList<BpfInstruction> Compile(IEnumerable<SyscallRule> rules, SeccompAction defaultAction)
    {
        SyscallRule[] sorted = [.. rules.OrderBy(rule => rule.Number)];
        for (int index = 1; index < sorted.Length; index++)
        {
            if (sorted[index].Number == sorted[index - 1].Number)
            {
                throw new ArgumentException($"two rules for syscall {sorted[index].Number}", nameof(rules));
            }
        }

        List<BpfInstruction> code =
        [
            new(BpfInstruction.LoadWord, 0, 0, ArchitectureOffset),
            new(BpfInstruction.JumpEqual, 1, 0, ArchitectureX8664),
            new(BpfInstruction.Return, 0, 0, SeccompAction.KillProcess.Value),
            new(BpfInstruction.LoadWord, 0, 0, NumberOffset),
            new(BpfInstruction.JumpGreaterEqual, 0, 1, X32Bit),
            new(BpfInstruction.Return, 0, 0, SeccompAction.KillProcess.Value),
        ];
        code.AddRange(Tree(sorted, defaultAction));
        return code.Count <= MaxInstructions ? code : throw new ArgumentException($"{code.Count} instructions, the kernel takes {MaxInstructions}", nameof(rules));
    }

    /// <summary>The program as the kernel reads it: an array of struct sock_filter.</summary>
    public static byte[] ToBytes(IReadOnlyList<BpfInstruction> program)
    {
        byte[] bytes = new byte[program.Count * BpfInstruction.SizeBytes];
        for (int index = 0; index < program.Count; index++)
        {
            program[index].WriteTo(bytes.AsSpan(index * BpfInstruction.SizeBytes));
        }

        return bytes;
    }

    private static List<BpfInstruction> Tree(ReadOnlySpan<SyscallRule> rules, SeccompAction defaultAction)
    {
        if (rules.IsEmpty)
        {
            return [new(BpfInstruction.Return, 0, 0, defaultAction.Value)];
        }

        if (rules.Length == 1)
        {
            return Leaf(rules[0], defaultAction);
        }

        int middle = rules.Length / 2;
        List<BpfInstruction> below = Tree(rules[..middle], defaultAction);
        List<BpfInstruction> above = Tree(rules[middle..], defaultAction);
        uint pivot = (uint)rules[middle].Number;
        // Conditional jumps reach 255 instructions; further needs BPF_JA.
        List<BpfInstruction> code = below.Count <= byte.MaxValue
            ? [new(BpfInstruction.JumpGreaterEqual, (byte)below.Count, 0, pivot)]
            : [new(BpfInstruction.JumpGreaterEqual, 0, 1, pivot), new(BpfInstruction.JumpAlways, 0, 0, (uint)below.Count)];
        code.AddRange(below);
        code.AddRange(above);
        return code;
    }

    private static List<BpfInstruction> Leaf(SyscallRule rule, SeccompAction defaultAction)
    {
        // The default sits right behind the comparison, so that the jump over it is short whatever the rule's length.
        List<BpfInstruction> code =
        [
            new(BpfInstruction.JumpEqual, 1, 0, (uint)rule.Number),
            new(BpfInstruction.Return, 0, 0, defaultAction.Value),
        ];
        foreach (IReadOnlyList<ArgumentTest> alternative in rule.Alternatives)
        {
            if (alternative.Count is 0 or > MaxTests)
            {
                throw new ArgumentException($"syscall {rule.Number}: an alternative has 1 to {MaxTests} tests");
            }

            // What follows the last test of the alternative is its one return.
            int rest = alternative.Sum(ArgumentCode.Length) + 1;
            foreach (ArgumentTest test in alternative)
            {
                rest -= ArgumentCode.Length(test);
                ArgumentCode.Append(code, test, rest);
            }

            code.Add(new(BpfInstruction.Return, 0, 0, rule.OnMatch.Value));
        }

        code.Add(new(BpfInstruction.Return, 0, 0, (rule.Alternatives.Count == 0 ? rule.OnMatch : rule.Otherwise).Value));
        return code;
    }
}
