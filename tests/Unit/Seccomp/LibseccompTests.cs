using System.Runtime.InteropServices;
using Sandbox.Linux;
using Sandbox.Seccomp;

namespace Sandbox.Unit.Tests.Seccomp;

/// <summary>Every policy of the product, compiled by us and by libseccomp, decides the same.</summary>
public sealed class LibseccompTests
{
    private const uint X8664 = 0xC000_003E;
    private const uint I386 = 0x4000_0003;
    private const uint X32 = 0x4000_0000;
    private const int HighestSyscall = 600;

    public static TheoryData<string> Policies => [.. Directory.GetFiles(PolicyFiles.Folder, "*.policy").Select(path => Path.GetFileName(path)).Order()];

    [Theory]
    [MemberData(nameof(Policies))]
    public void Filter_OfEveryPolicy_DecidesAsLibseccomp(string policy)
    {
        IReadOnlyList<SyscallRule> rules = PolicyFiles.Parse(policy);
        byte[] ours = FilterCompiler.ToBytes(FilterCompiler.Compile(rules, SeccompAction.KillProcess));
        byte[] theirs = Libseccomp.Compile(rules);
        Random random = new(20261124);
        for (uint number = 0; number <= HighestSyscall; number++)
        {
            ulong[] interesting = InterestingValues(rules.FirstOrDefault(rule => rule.Number == number));
            foreach ((uint architecture, uint entry) in ((uint, uint)[])[(X8664, number), (X8664, number | X32), (I386, number)])
            {
                for (int round = 0; round < (interesting.Length > FewValues ? 400 : 20); round++)
                {
                    ulong[] arguments = [.. Enumerable.Range(0, 6).Select(_ => random.Next(8) == 0 ? (ulong)random.NextInt64() : interesting[random.Next(interesting.Length)])];
                    uint expected = BpfInterpreter.Run(theirs, architecture, entry, arguments);
                    uint found = BpfInterpreter.Run(ours, architecture, entry, arguments);
                    Assert.True(expected == found, $"{policy}: syscall {number:x} ({architecture:x}) with {string.Join(' ', arguments.Select(value => value.ToString("x")))}: 0x{found:x}, libseccomp 0x{expected:x}");
                }
            }
        }
    }

    private const int FewValues = 8;

    // Around every number that the rule compares with, in both halves: where a 64-bit comparison made of two goes wrong.
    private static ulong[] InterestingValues(SyscallRule? rule)
    {
        List<ulong> values = [0, 1, 2, 0xFFFF_FFFF, 0x1_0000_0000, ulong.MaxValue];
        foreach (ArgumentTest test in (rule?.Alternatives ?? []).SelectMany(alternative => alternative))
        {
            ulong value = test.Value;
            values.AddRange([value, unchecked(value + 1), unchecked(value - 1), value | 0x1_0000_0000, value | 0x8000_0000_0000_0000, value ^ 1, value ^ 4, value & unchecked(value - 1), ~value]);
        }

        return [.. values.Distinct()];
    }

    /// <summary>libseccomp 2.5, by its C functions.</summary>
    private static class Libseccomp
    {
        private const uint AttributeBadArchitecture = 2; // SCMP_FLTATR_ACT_BADARCH

        public static byte[] Compile(IReadOnlyList<SyscallRule> rules)
        {
            nint context = seccomp_init(SeccompAction.KillProcess.Value);
            Assert.NotEqual(0, context);
            try
            {
                Assert.Equal(0, seccomp_attr_set(context, AttributeBadArchitecture, SeccompAction.KillProcess.Value));
                foreach (SyscallRule rule in rules)
                {
                    IReadOnlyList<IReadOnlyList<ArgumentTest>> alternatives = rule.Alternatives.Count == 0 ? [[]] : rule.Alternatives;
                    foreach (IReadOnlyList<ArgumentTest> alternative in alternatives)
                    {
                        Comparison[] tests = [.. alternative.Select(ToTheirs)];
                        Assert.Equal(0, seccomp_rule_add_array(context, rule.OnMatch.Value, rule.Number, (uint)tests.Length, tests));
                    }
                }

                using FdHandle file = MemFd.Create("bpf");
                Assert.Equal(0, seccomp_export_bpf(context, file.Number));
                byte[] program = new byte[65536 * BpfInstruction.SizeBytes];
                int count = FdIo.ReadAt(file.Number, program, 0);
                return program[..count];
            }
            finally
            {
                seccomp_release(context);
            }
        }

        private static Comparison ToTheirs(ArgumentTest test) => test.Comparison switch
        {
            Sandbox.Seccomp.Comparison.Equal => new(test.Index, 4, test.Value, 0),
            Sandbox.Seccomp.Comparison.OnlyBits => new(test.Index, 7, ~test.Value, 0), // masked: no bit outside
            _ => throw new NotSupportedException($"no policy of the product compares so yet: {test.Comparison}"),
        };

        [DllImport("libseccomp.so.2")]
        private static extern nint seccomp_init(uint defaultAction);

        [DllImport("libseccomp.so.2")]
        private static extern void seccomp_release(nint context);

        [DllImport("libseccomp.so.2")]
        private static extern int seccomp_attr_set(nint context, uint attribute, uint value);

        [DllImport("libseccomp.so.2")]
        private static extern int seccomp_rule_add_array(nint context, uint action, int syscall, uint count, [In] Comparison[] tests);

        [DllImport("libseccomp.so.2")]
        private static extern int seccomp_export_bpf(nint context, int fd);

        /// <summary>struct scmp_arg_cmp.</summary>
        [StructLayout(LayoutKind.Sequential)]
        private readonly struct Comparison(int argument, int operation, ulong first, ulong second)
        {
            private readonly uint _argument = (uint)argument;
            private readonly int _operation = operation;
            private readonly ulong _first = first;
            private readonly ulong _second = second;
        }
    }
}
