using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Sandbox.Control.Launch;
using Sandbox.Kvm.Abi;
using Sandbox.Labels;

namespace Sandbox.Unit.Tests.SeLinux;

/// <summary>What the policy gives away, and that nothing more can be added to it unnoticed.</summary>
public sealed partial class PolicyTests
{
    private const int MostTriplesOfADevice = 150;

    private static readonly string[] Domains = ["sbx_vmm_t", "sbx_block_t", "sbx_vsock_t", "sbx_rng_t", "sbx_net_t", "sbx_balloon_t"];

    public static TheoryData<string> Confined => [.. Domains];

    public static TheoryData<string> Violations =>
    [
        "(allow sbx_block_t sbx_image_t (file (open)))",
        "(allow sbx_rng_t urandom_device_t (chr_file (open)))",
        "(allow sbx_vmm_t host_file_t (file (open)))",
        "(allow sbx_vmm_t sbx_vmm_exec_t (file (execute_no_trans)))",
        "(allow sbx_device sbx_vmm_exec_t (file (execute)))",
        "(allow sbx_vmm_t self (process (execmem)))",
        "(allow sbx_block_t sbx_memory_t (file (execute)))",
        "(allow sbx_vsock_t self (vsock_socket (create)))",
        "(allow sbx_vsock_t self (unix_stream_socket (create)))",
        "(allow sbx_vsock_t sbx_channel_t (unix_stream_socket (connectto)))",
        "(allow sbx_device kvm_device_t (chr_file (read)))",
        "(allowx sbx_vmm_t kvm_device_t (ioctl chr_file (0xAE09)))",
        "(allow sbx_vmm_t sbx_image_t (file (read)))",
        "(allow sbx_rng_t sbx_image_ro_t (file (read)))",
        "(allow sbx_balloon_t sbx_image_t (file (write)))",
        "(allow sbx_block_t sbx_image_ro_t (file (write)))",
        "(allow sbx_vmm_t tun_tap_device_t (chr_file (read)))",
        "(allow sbx_net_t tun_tap_device_t (chr_file (ioctl)))",
        "(allow sbx_vsock_t sbx_frames_t (unix_stream_socket (read)))",
        "(allow sbx_net_t sbx_launcher_t (unix_stream_socket (read)))",
        "(allow sbx_vmm_t fixed_disk_device_t (blk_file (read)))",
        "(allow sbx_vmm_t sbx_device (process (ptrace)))",
        "(allow sbx_vmm_t host_t (process (signull)))",
        "(allow sbx_vmm_t self (capability (sys_admin)))",
        "(allow sbx_vmm_t self (user_namespace (create)))",
        "(allow sbx_vmm_t self (io_uring (sqpoll)))",
        "(allow sbx_vmm_t self (anon_inode (create)))",
        "(allow sbx_vmm_t self (bpf (map_create)))",
        "(allow sbx_vmm_t self (process (setexec)))",
        "(allow sbx_vmm_t sbx_rng_t (process (dyntransition)))",
        "(allow sbx_launcher_t sbx_vmm_t (process (transition)))",
        "(allow sbx_block_t sbx_image_t (file (relabelfrom)))",
        // A base policy that opens its own domains by an attribute: ours must not be in it.
        "(typeattribute base_domain)(typeattributeset base_domain (host_t sbx_confined))(allow base_domain host_file_t (file (open read)))",
    ];

    [Theory]
    [MemberData(nameof(Violations))]
    public void Policy_WithAForbiddenRule_DoesNotCompile(string rule)
    {
        (int code, string said) = PolicyTool.CompileWith(rule);
        Assert.True(code != 0 && said.Contains("neverallow", StringComparison.Ordinal), $"compiled, or failed for another reason: {rule}\n{said}");
    }

    /// <summary>The test above would pass with a compiler that refuses everything.</summary>
    [Fact]
    public void Policy_WithARuleOfTheSameKindElsewhere_Compiles()
    {
        (int code, string said) = PolicyTool.CompileWith("(allow sbx_launcher_t kvm_device_t (chr_file (lock)))(allow sbx_rng_t sbx_pipe_t (fifo_file (getattr)))");
        Assert.True(code == 0, said);
    }

    [Theory]
    [MemberData(nameof(Confined))]
    public void Domain_InTriples_IsAsTheReadmeSays(string type)
    {
        int count = PolicyTriples.Of(type).Count;
        Assert.InRange(count, 1, MostTriplesOfADevice - 1);
        string readme = File.ReadAllText(Path.Combine(PolicyTool.Folder, "README.md"));
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"| `{type}` | {count} |"), readme, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Confined))]
    public void Domain_InItsTriples_OpensExecutesAndCreatesNothing(string type)
    {
        foreach ((string target, string kind, string permission) in PolicyTriples.Of(type))
        {
            Assert.DoesNotContain(permission, (string[])["open", "create", "execute_no_trans", "transition", "connectto", "bind", "listen", "accept", "ptrace", "execmem", "relabelto", "relabelfrom"]);
            Assert.False(permission == "execute" && !target.EndsWith("_exec_t", StringComparison.Ordinal), $"{type} executes {target}");
            Assert.False(permission == "ioctl" && target != "kvm_device_t", $"{type} has ioctl on {target}:{kind}");
        }
    }

    /// <summary>Whatever a domain may do to what another sandbox has too (its processes, memory, images, pipes, sockets, fds), it may do at its own pair only.</summary>
    [Theory]
    [MemberData(nameof(Confined))]
    public void Domain_InItsTriples_IsBoundToItsPair(string type)
    {
        string[] ofOthers = [.. Domains, "sbx_memory_t", "sbx_boot_t", "sbx_pipe_t", "sbx_channel_t", "sbx_frames_t", "sbx_image_t"];
        Dictionary<string, string[]> bound = PairConstraint().Matches(PolicyTool.Run("seinfo", PolicyTool.Policy, "--constrain"))
            .ToDictionary(static line => line.Groups["class"].Value, static line => line.Groups["permissions"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        foreach ((string target, string kind, string permission) in PolicyTriples.Of(type).Where(triple => ofOthers.Contains(triple.Type)))
        {
            // Of no other process: a process forks itself only.
            Assert.True((kind, permission) == ("process", "fork") || (bound.TryGetValue(kind, out string[]? permissions) && permissions.Contains(permission)), $"{type} may {permission} {target}:{kind} at any pair");
        }
    }

    /// <summary>An attribute of the ground could give more to our domains later than we have read today.</summary>
    [Theory]
    [MemberData(nameof(Confined))]
    public void Domain_InAttributes_HasOnlyOurOwnAndTheOneThatNarrows(string type)
    {
        Assert.All(PolicyTriples.AttributesOf(type), static name => Assert.Matches("^(sbx_\\w+|mcs_constrained_type|every_object|cil_\\w+)$", name));
        string reference = File.ReadAllText(Path.Combine(PolicyTool.Folder, "reference/base.cil"));
        Assert.All(
            AttributeLine().Matches(reference).Where(line => DomainName().IsMatch(line.Groups["types"].Value)),
            static line => Assert.Equal("mcs_constrained_type", line.Groups["name"].Value));
    }

    [Fact]
    public void Vmm_OnKvm_MayAskExactlyWhatItsCodeAsks()
    {
        // Requests on /dev/kvm itself are those below 0x40 (linux/kvm.h); the others are for machines and processors.
        IEnumerable<uint> asked = typeof(KvmIoctl).GetFields(BindingFlags.Static | BindingFlags.Public)
            .Select(field => (uint)field.GetRawConstantValue()! & 0xFFFF).Where(number => (number & 0xFF) < 0x40);
        string rule = PolicyTool.Run("sesearch", "--allowxperm", "-s", "sbx_vmm_t", "-t", "kvm_device_t", PolicyTool.Policy);
        IEnumerable<uint> allowed = Range().Matches(rule).SelectMany(static range =>
        {
            uint first = uint.Parse(range.Groups["first"].ValueSpan, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            uint last = range.Groups["last"].Success ? uint.Parse(range.Groups["last"].ValueSpan, NumberStyles.HexNumber, CultureInfo.InvariantCulture) : first;
            return Enumerable.Range((int)first, (int)(last - first) + 1).Select(static number => (uint)number);
        });
        Assert.Equal(asked.Order(), allowed.Order());
    }

    /// <summary>A type that the launcher gives and the policy does not have would fail on a host with SELinux only.</summary>
    [Fact]
    public void Types_ThatTheLauncherGives_AreThePolicys()
    {
        string types = PolicyTool.Run("seinfo", PolicyTool.Policy, "-t");
        IEnumerable<string> given = typeof(SandboxTypes).GetFields(BindingFlags.Static | BindingFlags.Public)
            .Select(field => (string)field.GetRawConstantValue()!).Where(static name => name.EndsWith("_t", StringComparison.Ordinal))
            .Concat(Enum.GetValues<DeviceKind>().Where(static kind => kind != DeviceKind.FileSystem).Select(SandboxTypes.Of)); // served by others only
        Assert.All(given, type => Assert.Matches($"(?m)^ *{type}$", types));
    }

    [GeneratedRegex(@"\b0x(?<first>[0-9a-f]+)(-0x(?<last>[0-9a-f]+))?")]
    private static partial Regex Range();

    [GeneratedRegex(@"mlsconstrain (?<class>\w+) \{?(?<permissions>[\w ]+)\}? \(+ ?h1 dom h2 or \( t1 != sbx_confined \)")]
    private static partial Regex PairConstraint();

    [GeneratedRegex(@"\(typeattributeset (?<name>\w+) \((?<types>[^()]*)\)\)")]
    private static partial Regex AttributeLine();

    [GeneratedRegex(@"\bsbx_(vmm_t|block_t|vsock_t|rng_t|net_t|balloon_t|device|confined)\b")]
    private static partial Regex DomainName();
}
