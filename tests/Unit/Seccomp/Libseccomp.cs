using System.Runtime.InteropServices;
using Sandbox.Linux;
using Sandbox.Seccomp;

namespace Sandbox.Unit.Tests.Seccomp;

/// <summary>libseccomp 2.5, by its C functions: one text for the unit tests and for the fuzzer.</summary>
internal static class Libseccomp
{
    private const uint AttributeBadArchitecture = 2; // SCMP_FLTATR_ACT_BADARCH

    /// <summary>
    /// Whether a rule can be said to it, and is one that it compiles right: one test of an argument in an alternative, no "any of these bits", the default where
    /// no alternative holds; and of several alternatives, equality and masks only. Others it may grant too much or too little, or not end (fuzz/FINDINGS.md).
    /// </summary>
    public static bool CanSay(SyscallRule rule) =>
        rule.Otherwise == SeccompAction.KillProcess
        && rule.OnMatch != SeccompAction.KillProcess
        && rule.Alternatives.All(tests => tests.DistinctBy(static test => test.Index).Count() == tests.Count)
        && rule.Alternatives.All(tests => tests.All(test => test.Comparison is Sandbox.Seccomp.Comparison.Equal or Sandbox.Seccomp.Comparison.OnlyBits
            || (rule.Alternatives.Count == 1 && test.Comparison != Sandbox.Seccomp.Comparison.AnyBit)));

    /// <summary>The filter it makes of these rules, where each call has one.</summary>
    /// <exception cref="NotSupportedException">It refused a rule.</exception>
    public static byte[] Compile(IReadOnlyList<SyscallRule> rules)
    {
        nint context = seccomp_init(SeccompAction.KillProcess.Value);
        Require(context != 0 ? 0 : -1, "seccomp_init");
        try
        {
            Require(seccomp_attr_set(context, AttributeBadArchitecture, SeccompAction.KillProcess.Value), "seccomp_attr_set");
            foreach (SyscallRule rule in rules)
            {
                IReadOnlyList<IReadOnlyList<ArgumentTest>> alternatives = rule.Alternatives.Count == 0 ? [[]] : rule.Alternatives;
                foreach (IReadOnlyList<ArgumentTest> alternative in alternatives)
                {
                    Comparison[] tests = [.. alternative.Select(ToTheirs)];
                    Require(seccomp_rule_add_array(context, rule.OnMatch.Value, rule.Number, (uint)tests.Length, tests), "seccomp_rule_add_array");
                }
            }

            using FdHandle file = MemFd.Create("bpf");
            Require(seccomp_export_bpf(context, file.Number), "seccomp_export_bpf");
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
        Sandbox.Seccomp.Comparison.NotEqual => new(test.Index, 1, test.Value, 0),
        Sandbox.Seccomp.Comparison.Less => new(test.Index, 2, test.Value, 0),
        Sandbox.Seccomp.Comparison.LessOrEqual => new(test.Index, 3, test.Value, 0),
        Sandbox.Seccomp.Comparison.Equal => new(test.Index, 4, test.Value, 0),
        Sandbox.Seccomp.Comparison.GreaterOrEqual => new(test.Index, 5, test.Value, 0),
        Sandbox.Seccomp.Comparison.Greater => new(test.Index, 6, test.Value, 0),
        Sandbox.Seccomp.Comparison.OnlyBits => new(test.Index, 7, ~test.Value, 0), // masked: no bit outside
        _ => throw new NotSupportedException($"libseccomp has no such comparison: {test.Comparison}"),
    };

    private static void Require(int result, string call)
    {
        if (result != 0)
        {
            throw new NotSupportedException($"{call}: {result}");
        }
    }

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
