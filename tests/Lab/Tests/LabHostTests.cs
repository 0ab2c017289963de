using System.Security.Cryptography;

namespace Sandbox.Lab.Tests;

/// <summary>The ground the other tests stand on: whatever runs the guests hands commands over faithfully.</summary>
[Collection(LabGroup.Name)]
public sealed class LabHostTests(LabHost lab)
{
    [Fact]
    public async Task Kvm_OnTheGuestHost_Virtualizes()
    {
        CommandResult result = await lab.ScriptAsync("test -w /dev/kvm && grep -qE '^flags.* (svm|vmx)( |$)' /proc/cpuinfo");
        Assert.True(result.ExitCode == 0, result.ToString());
    }

    [Fact]
    public async Task Command_WithBinaryInput_GetsAndReturnsEveryByte()
    {
        byte[] sent = RandomNumberGenerator.GetBytes(3_000_001);
        CommandResult result = await lab.RunAsync(["cat"], sent);
        Assert.Equal(0, result.ExitCode);
        Assert.True(sent.AsSpan().SequenceEqual(result.Output), $"{result.Output.Length} of {sent.Length} bytes");
    }

    [Fact]
    public async Task Command_WithTwoStreamsAndACode_KeepsThemApart()
    {
        CommandResult result = await lab.ScriptAsync("echo out; echo err >&2; exit 7");
        Assert.Equal((7, "out", "err\n"), (result.ExitCode, result.Text, result.Error));
    }

    [Fact]
    public async Task Write_ToTheBuildMachinesFiles_DoesNotReachThem()
    {
        if (LabHost.HasHardwareVirtualization)
        {
            return; // the guest host is this machine itself
        }

        string probe = Path.Combine(Product.Root, "artifacts", $"probe-{Guid.NewGuid():N}");
        CommandResult result = await lab.ScriptAsync($"echo inside > {probe} && cat {probe}");
        Assert.Equal("inside", result.Text);
        Assert.False(File.Exists(probe));
    }
}
