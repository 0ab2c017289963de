using System.Globalization;

namespace Sandbox.Lab.Tests.SeLinux;

/// <summary>
/// Two sandboxes at the same types and the same user, without namespaces: what the type allows at one's own pair, the pair
/// refuses at the other's.
/// </summary>
[Collection(EnforcingGroup.Name)]
public sealed class PairTests(EnforcingLab lab)
{
    private const string Mine = "s0:c1,c2";

    public static TheoryData<string> Others => ["s0:c3,c4", "s0:c1,c3", "s0:c1,c2,c3", "s0:c2,c1023"];

    [Theory]
    [MemberData(nameof(Others))]
    public async Task Object_OfAnotherPair_CannotBeUsed(string other)
    {
        CommandResult result = await lab.ScriptAsync(string.Join('\n', ((string[])[Mine, other]).Select(level =>
            $"""
            $acts in system_u:system_r:sbx_vmm_t:{Mine} $acts 5=memfd:system_u:object_r:sbx_memory_t:{level} 6=readable:system_u:object_r:sbx_boot_t:{level} 7=socket:system_u:object_r:sbx_channel_t:{level} 8=pipe:system_u:object_r:sbx_pipe_t:{level} -- map=5 read=6 read=7 write=8
            $acts in system_u:system_r:sbx_block_t:{Mine} /opt/sandbox/acts-device 5=pattern:system_u:object_r:sbx_image_t:{level} -- read=5 write=5
            """)) + "\ndenials | grep -c 'scontext=system_u:system_r:sbx_'");
        string[] lines = result.Text.Split('\n');
        Assert.Equal(["map=5 ok", "read=6 ok", "read=7 ok", "write=8 ok", "read=5 ok", "write=5 ok"], lines[..6]);
        // The exec closes an fd that the new label may not use.
        Assert.Equal(["map=5 EBADF", "read=6 EBADF", "read=7 EBADF", "write=8 EBADF", "read=5 EBADF", "write=5 EBADF"], lines[6..12]);
        Assert.True(int.Parse(lines[12], CultureInfo.InvariantCulture) >= 5, result.ToString());
    }

    /// <summary>What an fd was opened as is checked again when it arrives by a socket.</summary>
    [Fact]
    public async Task Fd_OfAnotherPair_DoesNotArrive()
    {
        CommandResult result = await lab.ScriptAsync(
            $"""
            for level in {Mine} s0:c3,c4; do $acts in system_u:system_r:sbx_block_t:{Mine} /opt/sandbox/acts-device 7=sender:system_u:object_r:sbx_channel_t:{Mine}/system_u:object_r:sbx_memory_t:$level -- receive=7; done
            """);
        Expect.Text("receive=7 ok\nreceive=7 EBADF", result);
    }

    [Fact]
    public async Task Process_OfAnotherPair_CannotBeTouched()
    {
        CommandResult result = await lab.ScriptAsync(
            $"""
            $acts in system_u:system_r:sbx_vmm_t:s0:c3,c4 $acts -- hold & disown; for wait in $(seq 50); do ps -eo label | grep -q c3,c4 && break; sleep 0.1; done
            pid=$(pgrep -x acts-vmm | tail -n 1)
            cat /proc/$pid/attr/current | tr -d '\0'; echo
            $acts in system_u:system_r:sbx_vmm_t:{Mine} $acts -- kill=$pid term=$pid ptrace=$pid mem=$pid maps=$pid getfd=$pid vmread=$pid priority=$pid | cut -d' ' -f2
            kill -0 $pid && echo alive; kill -KILL $pid
            """);
        Expect.Text("system_u:system_r:sbx_vmm_t:s0:c3,c4\nEACCES\nEACCES\nEACCES\nEACCES\nEACCES\nEPERM\nEPERM\nEACCES\nalive", result); // EPERM: by way of ptrace's check
    }

    /// <summary>The launcher has no pair and all its sandboxes' trust; a sandbox has no way back.</summary>
    [Fact]
    public async Task Level_OfAProcess_CannotBeChangedByItself()
    {
        CommandResult result = await lab.ScriptAsync(
            $"$acts in system_u:system_r:sbx_vmm_t:{Mine} $acts -- setcon=system_u:system_r:sbx_vmm_t:s0:c3,c4 setcon=system_u:system_r:sbx_vmm_t:s0:c0.c1023 setcon=system_u:system_r:sbx_vmm_t:s0 | cut -d' ' -f2");
        Expect.Text("EACCES\nEACCES\nEACCES", result);
    }
}
