using System.Text;
using Sandbox.Control.Launch;
using Sandbox.Runtime;

namespace Sandbox.Unit.Tests.Library;

public sealed class EndDiagnosisTextTests
{
    [Theory]
    [InlineData("[ 1.0] Kernel panic - not syncing: VFS: Unable to mount root fs\n[ 1.1] CPU: 0\n", "VFS: Unable to mount root fs")]
    [InlineData("[ 1.0] Kernel panic - not syncing: A\n---[ end Kernel panic - not syncing: A ]---\n", "A")]
    [InlineData("nothing of the kind", null)]
    [InlineData("", null)]
    public void PanicReason_IsFoundInTheConsole(string console, string? reason) => Assert.Equal(reason, ConsoleText.PanicReason(console));

    [Fact]
    public void PanicReason_OfAGuestThatLies_IsCut() =>
        Assert.Equal(200, ConsoleText.PanicReason("Kernel panic - not syncing: " + new string('x', 60_000))!.Length);

    [Theory]
    [InlineData(EndReason.HostFailure, 12UL, "seccomp filter", "seccomp filter: out of memory (ENOMEM)")]
    [InlineData(EndReason.HostFailure, 524UL, "seccomp filter", "seccomp filter: errno 524")]
    [InlineData(EndReason.HostFailure, ulong.MaxValue, "a liar", "a liar")]
    [InlineData(EndReason.FrontendFault, 12UL, "vhost-user SetOwner", "vhost-user SetOwner")]
    public void HostFailure_OfADevice_IsToldWithItsError(EndReason reason, ulong detail, string text, string line) =>
        Assert.Equal(line, EndDiagnosis.WithError(new Ended(reason, detail, text)));

    [Fact]
    public void Tail_KeepsTheLastBytes()
    {
        TailBuffer tail = new(8);
        tail.Append("0123456789"u8);
        Assert.Equal("23456789", tail.Text());
        tail.Append("ab"u8);
        Assert.Equal("456789ab", tail.Text());
        tail.Append(Encoding.ASCII.GetBytes("line\nlast\n"));
        Assert.Equal("last", tail.LastLine());
        Assert.Equal("ne; last", tail.LastLines(2));
    }

    [Fact]
    public void Tail_ShowsNoControlCharacter()
    {
        TailBuffer tail = new(64);
        tail.Append([0x1B, (byte)'[', 0, 0xFF, (byte)'a']);
        Assert.Equal("?[??a", tail.Text());
    }
}
