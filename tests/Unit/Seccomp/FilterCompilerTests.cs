using Sandbox.Seccomp;
using Xunit;

namespace Sandbox.Unit.Tests.Seccomp;

public class FilterCompilerTests
{
    private const uint X8664 = 0xC000_003E;
    private const uint I386 = 0x4000_0003;

    // Values around which a 64-bit comparison made of two 32-bit ones goes wrong.
    private static readonly ulong[] Boundaries =
        [0, 1, 2, 4, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE, 0xFFFF_FFFF, 0x1_0000_0000, 0x1_0000_0001, 0x1_FFFF_FFFF, 0x2_0000_0000, 0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, ulong.MaxValue - 1, ulong.MaxValue];

    [Fact]
    public void Compile_EveryComparisonAtEveryBoundary_DecidesAsItsMeaning()
    {
        foreach (Comparison comparison in Enum.GetValues<Comparison>())
        {
            foreach (ulong value in Boundaries)
            {
                SyscallRule rule = new(1, [[new ArgumentTest(2, comparison, value)]], SeccompAction.Allow, SeccompAction.KillProcess);
                byte[] program = FilterCompiler.ToBytes(FilterCompiler.Compile([rule], SeccompAction.KillProcess));
                foreach (ulong argument in Boundaries)
                {
                    ulong[] arguments = [ulong.MaxValue, 0, argument, 7, 8, 9];
                    Assert.Equal(rule.Decide(arguments).Value, BpfInterpreter.Run(program, X8664, 1, arguments));
                }
            }
        }
    }

    [Fact]
    public void Compile_RandomPolicies_DecideAsTheirRulesForEverySyscall()
    {
        Random random = new(20260101);
        for (int policy = 0; policy < 60; policy++)
        {
            List<SyscallRule> rules = RandomPolicy(random);
            byte[] program = FilterCompiler.ToBytes(FilterCompiler.Compile(rules, SeccompAction.KillProcess));
            Dictionary<uint, SyscallRule> byNumber = rules.ToDictionary(rule => (uint)rule.Number);
            for (uint number = 0; number <= 600; number++)
            {
                for (int round = 0; round < 4; round++)
                {
                    ulong[] arguments = RandomArguments(random);
                    uint expected = byNumber.TryGetValue(number, out SyscallRule? rule) ? rule.Decide(arguments).Value : SeccompAction.KillProcess.Value;
                    Assert.Equal(expected, BpfInterpreter.Run(program, X8664, number, arguments));
                }

                ulong[] any = RandomArguments(random);
                Assert.Equal(SeccompAction.KillProcess.Value, BpfInterpreter.Run(program, X8664, number | 0x4000_0000, any));
                Assert.Equal(SeccompAction.KillProcess.Value, BpfInterpreter.Run(program, I386, number, any));
            }
        }
    }

    [Fact]
    public void Compile_LongArgumentList_JumpsAcrossIt()
    {
        // 80 alternatives of four instructions: the tree needs its far jump.
        List<IReadOnlyList<ArgumentTest>> many = [.. Enumerable.Range(0, 80).Select(value => (IReadOnlyList<ArgumentTest>)[new ArgumentTest(1, Comparison.Equal, (ulong)value)])];
        SyscallRule[] rules = [new(16, many, SeccompAction.Allow, SeccompAction.Errno(25)), new(300, [], SeccompAction.Allow, SeccompAction.KillProcess)];
        byte[] program = FilterCompiler.ToBytes(FilterCompiler.Compile(rules, SeccompAction.KillProcess));
        Assert.Equal(SeccompAction.Allow.Value, BpfInterpreter.Run(program, X8664, 300, new ulong[6]));
        Assert.Equal(SeccompAction.Allow.Value, BpfInterpreter.Run(program, X8664, 16, [0, 79, 0, 0, 0, 0]));
        Assert.Equal(SeccompAction.Errno(25).Value, BpfInterpreter.Run(program, X8664, 16, [0, 80, 0, 0, 0, 0]));
    }

    [Fact]
    public void Compile_TwoRulesForOneSyscall_IsRefused()
    {
        SyscallRule rule = new(1, [], SeccompAction.Allow, SeccompAction.KillProcess);
        Assert.Throws<ArgumentException>(() => FilterCompiler.Compile([rule, rule], SeccompAction.KillProcess));
    }

    private static List<SyscallRule> RandomPolicy(Random random)
    {
        List<SyscallRule> rules = [];
        foreach (int number in Enumerable.Range(0, 460).OrderBy(_ => random.Next()).Take(random.Next(1, 60)))
        {
            List<IReadOnlyList<ArgumentTest>> alternatives = [];
            for (int count = random.Next(0, 5); count > 0; count--)
            {
                alternatives.Add([.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => new ArgumentTest(random.Next(6), (Comparison)random.Next(8), RandomValue(random)))]);
            }

            rules.Add(new SyscallRule(number, alternatives, SeccompAction.Allow, random.Next(2) == 0 ? SeccompAction.KillProcess : SeccompAction.Errno(1 + random.Next(4095))));
        }

        return rules;
    }

    private static ulong[] RandomArguments(Random random) => [.. Enumerable.Range(0, 6).Select(_ => RandomValue(random))];

    private static ulong RandomValue(Random random) => random.Next(3) switch
    {
        0 => Boundaries[random.Next(Boundaries.Length)],
        1 => (ulong)random.NextInt64(),
        _ => (ulong)random.Next(8),
    };
}
