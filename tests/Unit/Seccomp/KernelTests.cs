using System.Buffers.Binary;
using Sandbox.Linux;
using Sandbox.Seccomp;
using Sandbox.Testing;
using Sandbox.Testing.Filters;

namespace Sandbox.Unit.Tests.Seccomp;

/// <summary>The filters as they are in the built exes, judged by the kernel that this machine runs: it decides as the policy says, as our interpreter and as libseccomp.</summary>
public sealed class KernelTests
{
    private const uint X8664 = 0xC000_003E;
    private const uint I386 = 0x4000_0003;
    private const uint X32 = 0x4000_0000;
    private const int HighestSyscall = 470;
    private const int BadSystemCall = 31; // SIGSYS
    private const int IllegalInstruction = 4; // SIGILL: the judge's own end
    private const int SegmentationFault = 11; // SIGSEGV: what int 0x80 is on a kernel without that entry

    // uretprobe and uprobe: a kernel from 6.14 on makes these two calls without asking any filter (kernel/seccomp.c, seccomp_uprobe_exception).
    private static readonly uint[] Unasked = [335, 336];

    // In the place of "allow" and "kill": no call is made, and the process lives to make the next.
    private const int SaysAllow = 1001;
    private const int SaysKill = 1002;

    public static TheoryData<string> Policies => [.. PolicyFiles.Names];

    [Theory]
    [MemberData(nameof(Policies))]
    public void Kernel_UnderEveryFilter_DecidesAsPolicyInterpreterAndLibseccomp(string policy)
    {
        IReadOnlyList<SyscallRule> rules = PolicyFiles.Parse(policy + ".policy");
        byte[] ours = Filter(policy);
        byte[] theirs = Libseccomp.Compile(rules);
        KernelCall[] calls = [.. Calls(rules, byOldEntry: false, 0).Where(static call => !Unasked.Contains(call.Number)), .. Calls(rules, byOldEntry: false, X32)];
        Assert.Equal(IllegalInstruction, KernelJudge.Judge(Talking(ours), calls).Signal);
        foreach (KernelCall call in calls)
        {
            uint decided = DecisionOf(call);
            SyscallRule? rule = rules.FirstOrDefault(rule => rule.Number == call.Number);
            Assert.True(decided == (rule?.Decide(call.Arguments) ?? SeccompAction.KillProcess).Value, $"{policy}: {call}: the kernel says 0x{decided:x}");
            Assert.Equal(decided, BpfInterpreter.Run(ours, X8664, call.Number, call.Arguments));
            Assert.Equal(decided, BpfInterpreter.Run(theirs, X8664, call.Number, call.Arguments));
        }
    }

    [Theory]
    [MemberData(nameof(Policies))]
    public void Kernel_UnderEveryFilter_KillsWhateverComesByTheEntryOfI386(string policy)
    {
        byte[] ours = Filter(policy);
        KernelCall[] calls = [.. Calls(PolicyFiles.Parse(policy + ".policy"), byOldEntry: true, 0)];
        ExitStatus end = KernelJudge.Judge(Talking(ours), calls);
        if (end.Signal == SegmentationFault)
        {
            return; // this kernel has no such entry: nothing can come by it
        }

        Assert.Equal(IllegalInstruction, end.Signal);
        Assert.All(calls, call => Assert.Equal(SeccompAction.KillProcess.Value, DecisionOf(call)));
        Assert.All(calls, call => Assert.Equal(SeccompAction.KillProcess.Value, BpfInterpreter.Run(ours, I386, call.Number, call.Arguments)));
    }

    /// <summary>The shipped filter, nothing changed: a process that makes the call of a rule with another argument is dead.</summary>
    [Theory]
    [MemberData(nameof(Policies))]
    public void Process_WithAWrongArgument_IsKilled(string policy)
    {
        byte[] filter = Filter(policy);
        int killed = 0;
        foreach (SyscallRule rule in PolicyFiles.Parse(policy + ".policy").Where(static rule => rule.Alternatives.Count > 0))
        {
            foreach (ulong[] arguments in WrongArguments(rule))
            {
                KernelCall[] calls = [new(false, (uint)rule.Number, arguments)];
                Assert.True(KernelJudge.Judge(filter, calls).Signal == BadSystemCall, $"{policy}: {calls[0]}");
                Assert.Equal(KernelCall.NotMade, calls[0].Result);
                killed++;
            }
        }

        Assert.NotEqual(0, killed);
    }

    /// <summary>They are for code that the kernel itself has put into a traced process; from anywhere else they fail or end the process.</summary>
    [Fact]
    public void Calls_ThatNoFilterIsAskedAbout_DoNothing() => Assert.All(Unasked, static number =>
    {
        KernelCall[] calls = [new(false, number, new ulong[6])];
        ExitStatus end = KernelJudge.Judge(Filter("device-entropy"), calls);
        Assert.Contains(end.Signal, (int[])[BadSystemCall, IllegalInstruction]);
        Assert.True(calls[0].Result is KernelCall.NotMade or (< 0 and > -4096), $"{calls[0]} returned {calls[0].Result}");
    });

    /// <summary>The same process with no call to make ends by its own instruction, so it was the call that killed.</summary>
    [Fact]
    public void Process_WithoutACall_IsNotKilledByItsFilter() => Assert.Equal(IllegalInstruction, KernelJudge.Judge(Filter("device-start"), []).Signal);

    private static byte[] Filter(string policy)
    {
        string exe = "sandbox-" + policy.Split('-')[0];
        using ChangedExe built = new(Path.Combine(Path.GetDirectoryName(DeviceProcess.ExecutablePath)!, exe));
        byte[] filter = built.Filter(policy).ToArray();
        Assert.Equal(FilterCompiler.ToBytes(FilterCompiler.Compile(PolicyFiles.Parse(policy + ".policy"), SeccompAction.KillProcess)), filter);
        return filter;
    }

    // The same program, but what it decides becomes the call's error.
    private static byte[] Talking(byte[] filter)
    {
        byte[] talking = [.. filter];
        for (int at = 0; at < talking.Length; at += BpfInstruction.SizeBytes)
        {
            Span<byte> value = talking.AsSpan(at + sizeof(uint));
            if (BinaryPrimitives.ReadUInt16LittleEndian(talking.AsSpan(at)) == BpfInstruction.Return)
            {
                uint action = BinaryPrimitives.ReadUInt32LittleEndian(value);
                int says = action == SeccompAction.Allow.Value ? SaysAllow : action == SeccompAction.KillProcess.Value ? SaysKill : 0;
                BinaryPrimitives.WriteUInt32LittleEndian(value, says == 0 ? action : SeccompAction.Errno(says).Value);
            }
        }

        return talking;
    }

    private static uint DecisionOf(KernelCall call) => call.Result switch
    {
        -SaysAllow => SeccompAction.Allow.Value,
        -SaysKill => SeccompAction.KillProcess.Value,
        < 0 and > -4096 => SeccompAction.Errno((int)-call.Result).Value,
        _ => throw new InvalidOperationException($"{call} returned {call.Result}"),
    };

    private static IEnumerable<KernelCall> Calls(IReadOnlyList<SyscallRule> rules, bool byOldEntry, uint offset)
    {
        Random random = new(20261124);
        for (uint number = 0; number <= HighestSyscall; number++)
        {
            SyscallRule? rule = rules.FirstOrDefault(rule => rule.Number == number);
            ulong[] interesting = ArgumentValues.Around(rule);
            int rounds = rule is null ? 2 : rule.Alternatives.Count == 0 ? 4 : 200;
            for (int round = 0; round < rounds; round++)
            {
                yield return new KernelCall(byOldEntry, number + offset, [.. Enumerable.Range(0, 6).Select(_ => interesting[random.Next(interesting.Length)])]);
            }

            foreach (ulong[] right in rule is null ? [] : RightArguments(rule))
            {
                yield return new KernelCall(byOldEntry, number + offset, right);
            }
        }
    }

    private static IEnumerable<ulong[]> RightArguments(SyscallRule rule) => rule.Alternatives.Select(static alternative =>
    {
        ulong[] arguments = new ulong[6];
        foreach (ArgumentTest test in alternative)
        {
            arguments[test.Index] = test.Value;
        }

        return arguments;
    });

    // Each test of each alternative failed by itself: a neighbour, the sign, and a bit of the upper half.
    private static IEnumerable<ulong[]> WrongArguments(SyscallRule rule) =>
        from pair in rule.Alternatives.Zip(RightArguments(rule))
        from test in pair.First
        from wrong in new[] { test.Value ^ 0x1_0000_0000, test.Value | 0x8000_0000_0000_0000, unchecked(test.Value + 1), ~test.Value }
        let arguments = (ulong[])[.. pair.Second.Select((value, index) => index == test.Index ? wrong : value)]
        where rule.Decide(arguments) == SeccompAction.KillProcess
        select arguments;
}
