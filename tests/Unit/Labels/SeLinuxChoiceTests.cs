using Sandbox.Host;
using Sandbox.Labels;

namespace Sandbox.Unit.Tests.Labels;

public sealed class SeLinuxChoiceTests
{
    private static readonly SeLinuxState Disabled = new();
    private static readonly SeLinuxState Enforcing = new() { IsEnabled = true, IsEnforcing = true, KnowsSandbox = true };
    private static readonly SeLinuxState Permissive = new() { IsEnabled = true, KnowsSandbox = true };
    private static readonly SeLinuxState Unknown = new() { IsEnabled = true, IsEnforcing = true };
    private static readonly SeLinuxState Exempt = new() { IsEnabled = true, IsEnforcing = true, KnowsSandbox = true, IsPermissiveForUs = true };

    [Fact]
    public void Auto_WhereItIsActiveAndKnown_Labels()
    {
        Assert.Null(SeLinuxChoice.WhyWithout(SeLinuxMode.Auto, Enforcing));
        Assert.Null(SeLinuxChoice.WhyWithout(SeLinuxMode.Auto, Permissive));
        Assert.Null(SeLinuxChoice.WhyWithout(SeLinuxMode.Required, Enforcing));
    }

    [Fact]
    public void Auto_WhereThereIsNoneOrItDoesNotKnowUs_SaysWhy()
    {
        Assert.Contains("not active", SeLinuxChoice.WhyWithout(SeLinuxMode.Auto, Disabled), StringComparison.Ordinal);
        Assert.Contains("does not know Sandbox", SeLinuxChoice.WhyWithout(SeLinuxMode.Auto, Unknown), StringComparison.Ordinal);
    }

    [Fact]
    public void Off_Always_SaysSo()
    {
        Assert.Contains("though the host has SELinux", SeLinuxChoice.WhyWithout(SeLinuxMode.Off, Enforcing), StringComparison.Ordinal);
        Assert.Contains("switched off", SeLinuxChoice.WhyWithout(SeLinuxMode.Off, Disabled), StringComparison.Ordinal);
    }

    [Fact]
    public void Required_WhereItWouldNotHold_IsRefusedWithTheCure()
    {
        foreach ((SeLinuxState host, string cure) in ((SeLinuxState, string)[])
        [
            (Disabled, "security=selinux"),
            (Unknown, "sandbox selinux install"),
            (Permissive, "setenforce 1"),
            (Exempt, "semanage permissive -d"),
        ])
        {
            SandboxException failure = Assert.Throws<SandboxException>(() => SeLinuxChoice.WhyWithout(SeLinuxMode.Required, host));
            Assert.Equal(SandboxErrorKind.HostNotReady, failure.Kind);
            Assert.Contains(cure, failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void PathsText_OfAnUnusualFolder_MatchesJustIt()
    {
        string text = SeLinuxModule.PathsText("/srv/my.box (2)");
        Assert.Contains("(filecon \"/srv/my\\.box\\ \\(2\\)/bin/sandbox-vmm\" file (system_u object_r sbx_vmm_exec_t ((s0) (s0))))\n", text, StringComparison.Ordinal);
        Assert.Throws<SandboxException>(() => SeLinuxModule.PathsText("/srv/\"quoted\""));
    }
}
