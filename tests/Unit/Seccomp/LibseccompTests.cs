using Sandbox.Seccomp;
using Sandbox.Testing.Filters;

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
            ulong[] interesting = ArgumentValues.Around(rules.FirstOrDefault(rule => rule.Number == number));
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
}
