using Sandbox.Linux;

namespace Sandbox.Abi.Tests;

/// <summary>What we declare about kernel and C library is what their headers say.</summary>
public sealed class AbiTests
{
    [Fact]
    public void Structs_OfTheAbiNamespaces_AreTheHeaders()
    {
        List<AbiClaim> claims = [.. StructClaims.Of(Rooms.AbiTypes)];
        Assert.True(claims.Count > 100, $"only {claims.Count} claims: are the rooms still found?");
        Holds(claims);
    }

    [Fact]
    public void Constants_OfTheAbiNamespaces_AreTheHeaders()
    {
        List<AbiClaim> claims = [.. ConstantClaims.ByName(Rooms.AbiTypes)];
        Assert.True(claims.Count > 100, $"only {claims.Count} claims: are the rooms still found?");
        Holds(claims);
    }

    [Fact]
    public void Constants_WithTheirCNameInAComment_AreTheHeaders()
    {
        List<AbiClaim> claims = [.. ConstantClaims.ByComment(Rooms.Source)];
        Assert.True(claims.Count > 20, $"only {claims.Count} claims: is the comment's form still found?");
        Holds(claims);
    }

    [Theory]
    [InlineData("syscalls.txt", "__NR_", 300)]
    [InlineData("constants.txt", "", 10)]
    public void Names_OfTheSeccompPolicies_AreTheHeaders(string file, string prefix, int atLeast)
    {
        List<AbiClaim> claims =
        [
            .. from line in File.ReadLines(Path.Combine(Rooms.Source, "..", "seccomp", file))
               where line.Length != 0 && line[0] != '#'
               let parts = line.Split(' ')
               // Older headers know fewer calls; every constant they must know.
               select new AbiClaim($"{prefix}{parts[0]} == {parts[1]}", $"seccomp/{file}", prefix.Length == 0 ? null : prefix + parts[0]),
        ];
        Assert.True(claims.Count >= atLeast, $"only {claims.Count} claims");
        Holds(claims);
    }

    [Fact]
    public void Structs_WithNamesOfOurOwn_AreTheHeaders() => Holds(
    [
        .. StructClaims.Translated(typeof(EpollReady), "struct epoll_event", ("Events", "events"), ("Tag", "data")),
        .. StructClaims.Translated(typeof(PollEntry), "struct pollfd", ("Fd", "fd"), ("Wanted", "events"), ("Found", "revents")),
    ]);

    [Fact]
    public void Numbers_WithNamesOfOurOwn_AreTheHeaders() => Holds(
    [
        .. Translated("POLL", (PollEvents.Readable, "IN"), (PollEvents.Writable, "OUT"), (PollEvents.Error, "ERR"), (PollEvents.HangUp, "HUP"), (PollEvents.Invalid, "NVAL"), (PollEvents.PeerClosed, "RDHUP")),
        .. Translated("EPOLL", (EpollEvents.Readable, "IN"), (EpollEvents.Writable, "OUT"), (EpollEvents.Error, "ERR"), (EpollEvents.HangUp, "HUP"), (EpollEvents.PeerClosed, "RDHUP"), (EpollEvents.EdgeTriggered, "ET")),
        .. Numbers(
            (Namespaces.Mount, "CLONE_NEWNS"), (Namespaces.CGroup, "CLONE_NEWCGROUP"), (Namespaces.Uts, "CLONE_NEWUTS"), (Namespaces.Ipc, "CLONE_NEWIPC"),
            (Namespaces.User, "CLONE_NEWUSER"), (Namespaces.Pid, "CLONE_NEWPID"), (Namespaces.Network, "CLONE_NEWNET"),
            (ResourceLimits.FileSize, "RLIMIT_FSIZE"), (ResourceLimits.Core, "RLIMIT_CORE"), (ResourceLimits.Processes, "RLIMIT_NPROC"),
            (ResourceLimits.OpenFiles, "RLIMIT_NOFILE"), (ResourceLimits.LockedMemory, "RLIMIT_MEMLOCK"), (ResourceLimits.AddressSpace, "RLIMIT_AS")),
        .. Enum.GetValues<Errno>().Where(errno => errno != Errno.None).Select(errno => new AbiClaim($"{errno} == {(int)errno}", $"Errno.{errno}")),
    ]);

    [Fact]
    public void Layouts_WrittenAsNumbers_AreTheHeaders() => Holds(
    [
        new("sizeof(posix_spawn_file_actions_t) == 80", "PosixSpawn.FileActionsBytes"),
        new("sizeof(posix_spawnattr_t) == 336", "PosixSpawn.AttributesBytes"),
        new("sizeof(sigset_t) == 128", "CommandSpawner.SignalSetBytes"),
        new("sizeof(struct cmsghdr) == 16 && offsetof(struct cmsghdr, cmsg_level) == 8 && offsetof(struct cmsghdr, cmsg_type) == 12", "UnixSocket.HeaderSize"),
        new("sizeof(struct ucred) == 12 && offsetof(struct ucred, pid) == 0", "CredentialSocket.Receive"),
        new("sizeof(struct open_how) == 24 && offsetof(struct open_how, mode) == 8 && offsetof(struct open_how, resolve) == 16", "RawFile.Open"),
        new("sizeof(struct statfs) == 120 && offsetof(struct statfs, f_type) == 0 && sizeof(((struct statfs *)0)->f_type) == 8", "RawFile.FileSystemType"),
        new("offsetof(struct landlock_ruleset_attr, handled_access_fs) == 0", "RawLandlock.CreateRuleset"),
        // Linux 6.7 and 6.12 have added members: a header that knows the names is asked.
        new("offsetof(struct landlock_ruleset_attr, handled_access_net) == 8", "RawLandlock.CreateRuleset", "LANDLOCK_ACCESS_NET_BIND_TCP"),
        new("offsetof(struct landlock_ruleset_attr, scoped) == 16", "RawLandlock.CreateRuleset", "LANDLOCK_SCOPE_SIGNAL"),
        new("sizeof(struct landlock_path_beneath_attr) == 12 && offsetof(struct landlock_path_beneath_attr, parent_fd) == 8", "RawLandlock.AllowFile"),
        new("sizeof(struct rlimit) == 16 && offsetof(struct rlimit, rlim_max) == 8", "RawProcess.SetLimit"),
        new("sizeof(struct __user_cap_header_struct) == 8 && sizeof(struct __user_cap_data_struct) == 12 && offsetof(struct __user_cap_data_struct, permitted) == 4", "RawIdentity.SetCapabilities"),
        new("_LINUX_CAPABILITY_U32S_3 == 2 && CAP_SETPCAP == 8 && CAP_SYS_ADMIN == 21", "JailStage"),
        new("sizeof(struct sockaddr_vm) == 16 && offsetof(struct sockaddr_vm, svm_port) == 4 && offsetof(struct sockaddr_vm, svm_cid) == 8 && VMADDR_CID_HOST == 2", "GuestVsock.Connect"),
        new("sizeof(struct ifreq) == 40 && offsetof(struct ifreq, ifr_flags) == 16 && offsetof(struct ifreq, ifr_addr) == 16 && offsetof(struct ifreq, ifr_mtu) == 16 && IFNAMSIZ == 16 && IFF_UP == 1", "GuestInterface, TapDevice"),
        new("sizeof(struct rtentry) == 120 && offsetof(struct rtentry, rt_dst) == 8 && offsetof(struct rtentry, rt_gateway) == 24 && offsetof(struct rtentry, rt_genmask) == 40 && offsetof(struct rtentry, rt_flags) == 56 && RTF_UP == 1 && RTF_GATEWAY == 2", "GuestInterface.AddDefaultRoute"),
        new("SIOCADDRT == 0x890B && SIOCGIFFLAGS == 0x8913 && SIOCSIFFLAGS == 0x8914 && SIOCSIFADDR == 0x8916 && SIOCSIFNETMASK == 0x891C", "GuestInterface"),
        new("sizeof(struct virtio_net_hdr_v1) == 12 && offsetof(struct virtio_net_hdr_v1, num_buffers) == 10 && offsetof(struct virtio_net_config, max_virtqueue_pairs) == 8 && offsetof(struct virtio_net_config, mtu) == 10", "NetHeader, NetConfigSpace"),
        new("sizeof(struct virtio_net_ctrl_hdr) == 2 && sizeof(struct virtio_net_ctrl_mq) == 2", "NetControl"),
        new("sizeof(struct itimerspec) == 32 && offsetof(struct itimerspec, it_value) == 16 && offsetof(struct timespec, tv_nsec) == 8 && sizeof(((struct timespec *)0)->tv_nsec) == 8", "TimerFd.Create"),
        new("offsetof(struct rand_pool_info, buf_size) == 4 && offsetof(struct rand_pool_info, buf) == 8", "GuestKernel.CreditEntropy"),
        new("sizeof(struct termios) == 60 && TCSADRAIN == 1 && sizeof(struct winsize) == 8 && offsetof(struct winsize, ws_col) == 2", "TerminalDevice, GuestTerminal"),
        new("TIOCSPTLCK == 0x40045431 && TIOCGPTN == 0x80045430 && TIOCSWINSZ == 0x5414 && TIOCGWINSZ == 0x5413 && O_NOCTTY == 0x100", "GuestTerminal, TerminalDevice"),
        new("RB_POWER_OFF == 0x4321FEDC && SIGPIPE == 13 && X_OK == 1", "GuestKernel, GuestFiles"),
        new("MS_RDONLY == 1 && MS_NOSUID == 2 && MS_NODEV == 4 && MS_NOEXEC == 8 && MS_MOVE == 0x2000", "MountFlags"),
        new("PROC_SUPER_MAGIC == 0x9FA0 && O_DIRECTORY == 0x10000 && O_WRONLY == 1", "JailStage"),
    ]);

    private static void Holds(IReadOnlyCollection<AbiClaim> claims)
    {
        string verdict = CCompiler.Judge(claims);
        Assert.True(verdict.Length == 0, verdict);
    }

    private static IEnumerable<AbiClaim> Translated<T>(string prefix, params (T Ours, string Theirs)[] members)
        where T : struct, Enum =>
        members.Select(member => new AbiClaim($"{prefix}{member.Theirs} == {member.Ours:D}", $"{typeof(T).Name}.{member.Ours}"));

    private static IEnumerable<AbiClaim> Numbers(params (int Ours, string Theirs)[] numbers) =>
        numbers.Select(number => new AbiClaim($"{number.Theirs} == {number.Ours}", number.Theirs));
}
