using System.Runtime.InteropServices;
using Sandbox.Linux;
using Sandbox.Seccomp;

namespace Sandbox.Unit.Tests.Seccomp;

/// <summary>libseccomp 2.5, by its C functions.</summary>
internal static class Libseccomp
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
