using System.Text.RegularExpressions;

namespace Sandbox.Lab.Tests.SeLinux;

/// <summary>
/// What a process can do inside each domain when nothing but SELinux stands in its way: it is root, has all capabilities, no namespace of
/// its own and no filter.
/// </summary>
[Collection(EnforcingGroup.Name)]
public sealed class DomainTests(EnforcingLab lab)
{
    private const string Pair = "s0:c1,c2";

    /// <summary>No name can be reached at all: the first folder of every path is closed already.</summary>
    private const string NoWay = "{ search } .*tclass=dir";

    /// <summary>Acts that no process of a sandbox may do; after each the class and permission that the kernel logs it with.</summary>
    private static readonly (string Act, string Denial)[] Forbidden =
    [
        ("open=/etc/passwd", NoWay),
        ("open=/dev/null", NoWay),
        ("openw=/dev/net/tun", NoWay),
        ("create=/tmp/acts-file", NoWay),
        ("folder=/tmp/acts-folder", NoWay),
        ("list=/", "{ read } .*tclass=dir"),
        ("stat=/etc/passwd", NoWay),
        ("exec=/bin/true", NoWay),
        ("execmem", "{ execmem } .*tclass=process"),
        ("execmod", "{ execmem } .*tclass=process"),
        ("execstack", "{ execstack } .*tclass=process"),
        ("socket=1", "{ create } .*tclass=unix_stream_socket"),
        ("socket=1/2", "{ create } .*tclass=unix_dgram_socket"),
        ("socket=2", "{ create } .*tclass=tcp_socket"),
        ("socket=10/2", "{ create } .*tclass=udp_socket"),
        ("socket=16/3", "{ create } .*tclass=netlink_route_socket"),
        ("socket=17/3", "{ create } .*tclass=packet_socket"),
        ("socket=38/5", "{ create } .*tclass=alg_socket"),
        ("socket=40", "{ create } .*tclass=vsock_socket"),
        ("socketpair", "{ create } .*tclass=unix_stream_socket"),
        ("userns", "{ create } .*tclass=user_namespace"),
        ("mount=/tmp", NoWay),
        ("uring", "{ create } .*tclass=anon_inode"),
        ("uffd", "{ sys_ptrace } .*tclass=capability "),
        ("bpf", "{ bpf } .*tclass=capability2"),
        ("perf", "{ sys_admin } .*tclass=capability "),
        ("key", "{ write } .*tclass=key"),
        ("shm", "{ create } .*tclass=shm"),
        ("hostname", "{ sys_admin } .*tclass=capability"),
        ("setcon=system_u:system_r:host_t:s0", NoWay),
        ("setexec=system_u:system_r:host_t:s0", NoWay),
        ("priority=1", "{ setsched } .*tclass=process"),
        ("kill=1", "{ signull } .*tclass=process"),
        ("term=1", "{ signal } .*tclass=process"),
        ("ptrace=1", "{ ptrace } .*tclass=process"),
        ("mem=1", NoWay),
        ("relabel=5", "{ relabelfrom } .*tclass=file"),
        ("mapexec=5", "{ execute } .*tclass=file"),
        ("listen=7", "{ listen } .*tclass=unix_stream_socket"),
        ("ioctl=5", "{ ioctl } .*tclass=file"),
    ];

    public static TheoryData<string, string> Domains => new()
    {
        { "sbx_vmm_t", "vmm" },
        { "sbx_block_t", "device" },
        { "sbx_vsock_t", "device" },
        { "sbx_rng_t", "device" },
        { "sbx_net_t", "device" },
        { "sbx_balloon_t", "device" },
    };

    [Theory]
    [MemberData(nameof(Domains))]
    public async Task Domain_TryingEveryAct_IsRefusedAndLogged(string type, string role)
    {
        (string Act, string Denial)[] acts = Forbidden;
        CommandResult result = await lab.ScriptAsync(
            $"""
            $acts in system_u:system_r:{type}:{Pair} /opt/sandbox/acts-{role} 5=memfd:system_u:object_r:sbx_memory_t:{Pair} 7=socket:system_u:object_r:sbx_channel_t:{Pair} -- {string.Join(' ', acts.Select(static act => act.Act))}
            echo; denials
            """);
        Expect.ExitCode(0, result);
        string[] parts = result.Text.Split("\n\n", 2);
        string[] said = parts[0].Split('\n');
        string[] log = parts[1].Split('\n').Where(line => line.Contains($"scontext=system_u:system_r:{type}:{Pair} ", StringComparison.Ordinal)).ToArray();
        Assert.Equal(acts.Length, said.Length);
        for (int index = 0; index < acts.Length; index++)
        {
            Assert.Matches($"^{Regex.Escape(acts[index].Act)} (EACCES|EPERM)$", said[index]);
        }

        string[] missing = [.. acts.Where(act => !log.Any(line => Regex.IsMatch(line, act.Denial))).Select(static act => act.Denial)];
        Assert.True(missing.Length == 0, $"not logged: {string.Join(", ", missing)}; logged: {string.Join('\n', log)}");
    }

    /// <summary>The control of the test above: without the domain, the same program does most of it.</summary>
    [Fact]
    public async Task Host_TryingTheSameActs_IsNotRefused()
    {
        CommandResult result = await lab.ScriptAsync("$acts open=/etc/passwd open=/dev/null stat=/etc/passwd execmem socket=1 socket=2 socketpair bpf shm kill=1 memfd; denials");
        Expect.Text("open=/etc/passwd ok\nopen=/dev/null ok\nstat=/etc/passwd ok\nexecmem ok\nsocket=1 ok\nsocket=2 ok\nsocketpair ok\nbpf ok\nshm ok\nkill=1 ok\nmemfd ok", result);
    }

    [Fact]
    public async Task Vmm_OnKvm_MayAskFiveThingsAndNoMore()
    {
        CommandResult result = await lab.ScriptAsync(
            $"""
            $acts in system_u:system_r:sbx_vmm_t:{Pair} $acts 4=file:/dev/kvm -- kvm=0xAE00 kvm=0xAE03 kvm=0xAE04 kvm=0xAE01 kvm=0xAE09 kvm=0xAE0A kvm=0xAE02 kvm=0x5401
            denials | grep -c 'kvm_device_t.*tclass=chr_file'
            for type in block vsock rng balloon; do $acts in system_u:system_r:sbx_$type\_t:{Pair} /opt/sandbox/acts-device 4=file:/dev/kvm -- kvm=0xAE00; done
            """);
        // A device process does not even get the fd: the exec closes it.
        Expect.Text(
            "kvm=0xAE00 ok\nkvm=0xAE03 ok\nkvm=0xAE04 ok\nkvm=0xAE01 ok\nkvm=0xAE09 EACCES\nkvm=0xAE0A EACCES\nkvm=0xAE02 EACCES\nkvm=0x5401 EACCES\n4\n"
            + "kvm=0xAE00 EBADF\nkvm=0xAE00 EBADF\nkvm=0xAE00 EBADF\nkvm=0xAE00 EBADF",
            result);
    }

    [Theory]
    [InlineData("sbx_vmm_t", "/opt/sandbox/acts-device")]
    [InlineData("sbx_rng_t", "/opt/sandbox/acts-vmm")]
    [InlineData("sbx_vmm_t", "/bin/true")]
    public async Task Domain_WithTheExeOfAnother_DoesNotBegin(string type, string exe)
    {
        CommandResult result = await lab.ScriptAsync($"$acts in system_u:system_r:{type}:{Pair} {exe} -- execmem; denials | grep -c '{{ entrypoint }}'");
        Expect.Text("exec 13\n1", result);
    }

    /// <summary>Which domain may use which backing, by inherited fd.</summary>
    [Theory]
    [InlineData("sbx_vmm_t", "vmm", "readable", "sbx_image_t", false)]
    [InlineData("sbx_vsock_t", "device", "readable", "sbx_image_t", false)]
    [InlineData("sbx_rng_t", "device", "readable", "sbx_image_ro_t", false)]
    [InlineData("sbx_block_t", "device", "readable", "sbx_boot_t", false)]
    [InlineData("sbx_block_t", "device", "readable", "host_file_t", false)]
    [InlineData("sbx_block_t", "device", "pattern", "sbx_image_ro_t", false)] // opened for writing
    [InlineData("sbx_vmm_t", "vmm", "pattern", "sbx_boot_t", false)] // opened for writing
    [InlineData("sbx_block_t", "device", "readable", "sbx_image_ro_t", true)]
    [InlineData("sbx_block_t", "device", "pattern", "sbx_image_t", true)]
    [InlineData("sbx_vmm_t", "vmm", "readable", "sbx_boot_t", true)]
    public async Task Backing_InAnotherDomain_IsNotThere(string type, string role, string kind, string label, bool mayRead)
    {
        CommandResult result = await lab.ScriptAsync($"$acts in system_u:system_r:{type}:{Pair} /opt/sandbox/acts-{role} 5={kind}:system_u:object_r:{label}:{Pair} -- read=5");
        Expect.Text(mayRead ? "read=5 ok" : "read=5 EBADF", result);
    }
}
