using Sandbox.Seccomp;
using Sandbox.Testing.Filters;

namespace Sandbox.Unit.Tests.Seccomp;

/// <summary>What the product's policies promise as a whole.</summary>
public sealed class PolicyTests
{
    // Nothing of these, in any stage: open and exec in every form, other processes, new kinds of kernel objects, new sockets.
    private static readonly string[] Forbidden =
    [
        "open", "openat2", "creat", "open_by_handle_at", "execve", "execveat", "fork", "vfork", "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd",
        "kill", "tkill", "tgkill", "socket", "socketpair", "connect", "bind", "listen", "accept", "accept4", "io_uring_setup", "io_uring_enter", "io_uring_register",
        "userfaultfd", "bpf", "perf_event_open", "unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "keyctl", "add_key", "request_key",
        "memfd_create", "setuid", "setresuid", "capset", "prctl", "init_module", "finit_module", "mremap", "pkey_mprotect", "sendmmsg", "sendto",
    ];

    // How many calls may be granted: a device process 30 in all and 15 once it serves, the VMM 30, a vCPU's thread 10.
    [Theory]
    [InlineData("device-start.policy", 30)]
    [InlineData("device-block.policy", 15)]
    [InlineData("device-entropy.policy", 15)]
    [InlineData("device-balloon.policy", 15)]
    [InlineData("device-net.policy", 15)]
    [InlineData("device-vsock.policy", 15)]
    [InlineData("jail-keeper.policy", 7)]
    [InlineData("vmm-start.policy", 30)]
    [InlineData("vmm.policy", 15)]
    [InlineData("vmm-vcpu.policy", 10)]
    public void Policy_GrantsNoMoreThanItsBar(string policy, int most) => Assert.InRange(Granted(policy).Count(), 1, most);

    [Theory]
    [MemberData(nameof(LibseccompTests.Policies), MemberType = typeof(LibseccompTests))]
    public void Policy_OfEveryKind_GrantsNothingForbidden(string policy)
    {
        NameTable names = new("syscalls.txt", File.ReadAllText(Path.Combine(PolicyFiles.Folder, "syscalls.txt")));
        HashSet<int> forbidden = [.. Forbidden.Select(name => names.TryGet(name, out ulong number) ? (int)number : throw new InvalidOperationException(name))];
        Assert.DoesNotContain(Granted(policy), rule => forbidden.Contains(rule.Number));
    }

    // Of these a call is more than its number: mmap, mprotect, ioctl, sendmsg, recvmsg, clone, fcntl, seccomp.
    [Theory]
    [MemberData(nameof(LibseccompTests.Policies), MemberType = typeof(LibseccompTests))]
    public void Policy_OfEveryKind_ChecksTheArgumentsOfWhatHasMany(string policy)
    {
        int[] many = [9, 10, 16, 46, 47, 48, 56, 72, 157, 317];
        Assert.DoesNotContain(Granted(policy), rule => many.Contains(rule.Number) && rule.Alternatives.Count == 0);
        ulong[] executable = [0, 4096, 7, 1, 0, 0]; // PROT_READ|PROT_WRITE|PROT_EXEC
        Assert.DoesNotContain(Granted(policy), rule => rule.Number is 9 or 10 && rule.Decide(executable) == SeccompAction.Allow);
    }

    // Filters stack: what a running stage needs the start stage must have granted.
    [Theory]
    [InlineData("vmm-start.policy", "vmm.policy")]
    [InlineData("vmm.policy", "vmm-vcpu.policy")]
    [InlineData("device-start.policy", "device-block.policy")]
    [InlineData("device-start.policy", "device-entropy.policy")]
    [InlineData("device-start.policy", "device-balloon.policy")]
    [InlineData("device-start.policy", "device-net.policy")]
    [InlineData("device-start.policy", "device-vsock.policy")]
    public void Policy_OfTheOuterFilter_GrantsWhatTheInnerOneDoes(string outer, string inner)
    {
        Dictionary<int, SyscallRule> rules = PolicyFiles.Parse(outer).ToDictionary(rule => rule.Number);
        foreach (SyscallRule rule in Granted(inner))
        {
            Assert.True(rules.TryGetValue(rule.Number, out SyscallRule? held), $"{outer} lacks {rule.Number}");
            foreach (IReadOnlyList<ArgumentTest> alternative in rule.Alternatives)
            {
                Assert.True(held.Alternatives.Count == 0 || held.Alternatives.Any(theirs => theirs.SequenceEqual(alternative)), $"{outer} checks syscall {rule.Number} otherwise");
            }
        }
    }

    private static IEnumerable<SyscallRule> Granted(string policy) => PolicyFiles.Parse(policy).Where(rule => rule.OnMatch == SeccompAction.Allow);
}
