using Sandbox.Seccomp;
using Xunit;

namespace Sandbox.Unit.Tests.Seccomp;

public class PolicyParserTests
{
    private static readonly NameTable Syscalls = new("s", "read 0\nwrite 1\nioctl 16\nopenat 257");
    private static readonly NameTable Constants = new("c", "KVM_RUN 0xAE80\nPROT_EXEC 4\nENOENT 2");

    private static IReadOnlyList<SyscallRule> Parse(string text, string included = "") =>
        new PolicyParser(Syscalls, Constants, name => name == "main" ? text : included).Parse("main");

    [Fact]
    public void Parse_PlainRule_AllowsAlways()
    {
        SyscallRule rule = Assert.Single(Parse("read: 1 # the event loop"));
        Assert.Equal((0, SeccompAction.Allow), (rule.Number, rule.Decide(new ulong[6])));
    }

    [Fact]
    public void Parse_ArgumentRule_HoldsOperatorsConstantsAndPrecedence()
    {
        SyscallRule rule = Assert.Single(Parse("# vCPU\nioctl: arg1 == KVM_RUN && arg2 == 0 || arg2 in ~PROT_EXEC && arg1 == 5"));
        Assert.Equal(SeccompAction.Allow, rule.Decide([0, 0xAE80, 0, 0, 0, 0]));
        Assert.Equal(SeccompAction.KillProcess, rule.Decide([0, 0xAE80, 4, 0, 0, 0]));
        Assert.Equal(SeccompAction.Allow, rule.Decide([0, 5, 3, 0, 0, 0]));
        Assert.Equal(SeccompAction.KillProcess, rule.Decide([0, 5, 7, 0, 0, 0]));
    }

    [Fact]
    public void Parse_ReturnRule_FailsTheCall()
    {
        SyscallRule rule = Assert.Single(Parse("openat: return ENOENT # the collector looks for /proc/meminfo"));
        Assert.Equal(SeccompAction.Errno(2), rule.Decide(new ulong[6]));
    }

    [Fact]
    public void Parse_Include_BringsItsRules() =>
        Assert.Equal(2, Parse("@include shared\nread: 1 # loop", "write: 1 # log").Count);

    [Theory]
    [InlineData("read: 1")] // nobody says who needs it
    [InlineData("nothing: 1 # x")]
    [InlineData("read 1 # x")]
    [InlineData("ioctl: arg6 == 1 # x")]
    [InlineData("ioctl: arg1 = 1 # x")]
    [InlineData("ioctl: arg1 == KVM_RUM # x")]
    [InlineData("ioctl: arg1 == 1; return 0 # x")]
    [InlineData("ioctl: arg1 == 1; kill # x")]
    [InlineData("ioctl: # x")]
    [InlineData("# x\nread: 1\nread: 1")]
    [InlineData("@include main # x")]
    public void Parse_MeaninglessLine_IsRefusedWithItsPlace(string text)
    {
        PolicyException error = Assert.Throws<PolicyException>(() => Parse(text, text));
        Assert.Contains(":", error.Message, StringComparison.Ordinal);
    }
}
