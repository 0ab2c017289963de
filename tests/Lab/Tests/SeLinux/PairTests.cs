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

    /// <summary>
    /// What an fd was opened as is checked again when it arrives by a socket: memory, boot files, images, sockets, pipes, and what has no label but
    /// that of the process that made it (eventfd). All of one's own pair arrive, none of the other's, and /dev/kvm at the VMM only.
    /// </summary>
    [Theory]
    [InlineData("sbx_vmm_t", "vmm", "memfd:sbx_memory_t readable:sbx_boot_t socket:sbx_channel_t pipe:sbx_pipe_t")]
    [InlineData("sbx_block_t", "device", "memfd:sbx_memory_t pattern:sbx_image_t socket:sbx_channel_t pipe:sbx_pipe_t eventfd:sbx_vmm_t")]
    public async Task Fd_OfAnotherPair_DoesNotArrive(string type, string role, string objects)
    {
        (string Kind, string Type)[] sent = [.. objects.Split(' ').Select(static text => (text.Split(':')[0], text.Split(':')[1]))];
        string Sender(int number, string level) => string.Create(
            CultureInfo.InvariantCulture,
            $"{number}=sender:system_u:object_r:sbx_channel_t:{Mine}/{sent[number - 6].Kind}:system_u:{(sent[number - 6].Kind == "eventfd" ? "system_r" : "object_r")}:{sent[number - 6].Type}:{level}");
        int[] numbers = [.. Enumerable.Range(6, sent.Length)];
        string Receiver(string level) =>
            $"$acts in system_u:system_r:{type}:{Mine} /opt/sandbox/acts-{role} {string.Join(' ', numbers.Select(number => Sender(number, level)))} 5=sender:system_u:object_r:sbx_channel_t:{Mine}/file:/dev/kvm "
            + $"-- {string.Join(' ', numbers.Select(static number => $"receive={number}"))} receive=5 | cut -d' ' -f2";
        CommandResult result = await lab.ScriptAsync(
            $"""
            {Receiver(Mine)}; {Receiver("s0:c3,c4")}
            denials | grep 'scontext=system_u:system_r:{type}:{Mine} .*:s0:c3,c4 ' | grep -o 'tclass=[a-z_]*' | sort -u
            """);
        string kvm = type == "sbx_vmm_t" ? "ok" : "EBADF";
        string[] classes = sent.Select(static one => one.Kind switch { "socket" => "tclass=unix_stream_socket", "pipe" => "tclass=fifo_file", "eventfd" => "tclass=fd", _ => "tclass=file" }).Distinct().Order(StringComparer.Ordinal).ToArray();
        Expect.Text(string.Join('\n', [.. sent.Select(static _ => "ok"), kvm, .. sent.Select(static _ => "EBADF"), kvm, .. classes]), result);
    }

    /// <summary>
    /// None has a socket of its own to connect with (DomainTests). One that was handed over connects to nobody either, at whatever pair: the launcher
    /// connects, always. That the pair alone would refuse it as well stands in the policy (tests/Unit/SeLinux).
    /// </summary>
    [Theory]
    [InlineData("sbx_vmm_t", "vmm")]
    [InlineData("sbx_vsock_t", "device")]
    public async Task Socket_OfAnotherPair_CannotBeConnectedTo(string type, string role)
    {
        CommandResult result = await lab.ScriptAsync(string.Join('\n', ((string[])[Mine, "s0:c3,c4"]).Select(level =>
            $"$acts in system_u:system_r:{type}:{Mine} /opt/sandbox/acts-{role} 7=unconnected:system_u:object_r:sbx_channel_t:{Mine} 8=listener:system_u:object_r:sbx_channel_t:{level} -- connectfd=7 connect=acts-listener"))
            + """

            $acts connect=sandbox/nobody
            denials | grep 'tclass=unix_stream_socket' | sed 's/.*{ \([a-z ]*\) }.*tcontext=\([^ ]*\) .*/\1 \2/' | sort | uniq -c | sed 's/^ *//'
            """);
        Expect.Text(
            "connectfd=7 EACCES\nconnect=acts-listener EACCES\nconnectfd=7 EACCES\nconnect=acts-listener EACCES\nconnect=sandbox/nobody ECONNREFUSED\n"
            + $"2 connect system_u:object_r:sbx_channel_t:{Mine}\n2 create system_u:system_r:{type}:{Mine}\n"
            // The listener of the other pair is not even there: the exec closes what may not be read.
            + "1 read write system_u:object_r:sbx_channel_t:s0:c3,c4",
            result);
    }

    [Theory]
    [InlineData("sbx_vmm_t", "vmm", "sbx_vmm_t", "vmm")]
    [InlineData("sbx_block_t", "device", "sbx_vmm_t", "vmm")]
    [InlineData("sbx_vmm_t", "vmm", "sbx_block_t", "device")]
    public async Task Process_OfAnotherPair_CannotBeTouched(string type, string role, string otherType, string otherRole)
    {
        CommandResult result = await lab.ScriptAsync(
            $"""
            $acts in system_u:system_r:{otherType}:s0:c3,c4 /opt/sandbox/acts-{otherRole} -- hold & disown; for wait in $(seq 50); do ps -eo label | grep -q c3,c4 && break; sleep 0.1; done
            pid=$(pgrep -x acts-{otherRole} | tail -n 1)
            cat /proc/$pid/attr/current | tr -d '\0'; echo
            $acts in system_u:system_r:{type}:{Mine} /opt/sandbox/acts-{role} -- kill=$pid term=$pid ptrace=$pid mem=$pid maps=$pid getfd=$pid vmread=$pid priority=$pid getsched=$pid | cut -d' ' -f2
            kill -0 $pid && echo alive; kill -KILL $pid
            """);
        Expect.Text($"system_u:system_r:{otherType}:s0:c3,c4\nEACCES\nEACCES\nEACCES\nEACCES\nEACCES\nEPERM\nEPERM\nEACCES\nEACCES\nalive", result); // EPERM: by way of ptrace's check
    }

    /// <summary>The control of the test above: two rights that the type has over itself, which threads need, it has at its own pair.</summary>
    [Fact]
    public async Task Process_OfTheSameTypeAndPair_MayBeAskedAndSignalled()
    {
        CommandResult result = await lab.ScriptAsync(
            $"""
            $acts in system_u:system_r:sbx_vmm_t:{Mine} $acts -- hold & disown; for wait in $(seq 50); do ps -eo label | grep -q c1,c2 && break; sleep 0.1; done
            pid=$(pgrep -x acts-vmm | tail -n 1)
            $acts in system_u:system_r:sbx_vmm_t:{Mine} $acts -- getsched=$pid term=$pid ptrace=$pid | cut -d' ' -f2; kill -KILL $pid 2>/dev/null || true
            """);
        Assert.StartsWith("ok\nok\nE", result.Text, StringComparison.Ordinal);
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
