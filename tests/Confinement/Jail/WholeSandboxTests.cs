using System.Globalization;
using Sandbox.Runtime;

namespace Sandbox.Confinement.Tests.Jail;

/// <summary>What the kernel says about every process and every thread of a sandbox whose guest runs.</summary>
[Collection("processes")]
public sealed class WholeSandboxTests(WholeSandboxTests.Running running) : IClassFixture<WholeSandboxTests.Running>
{
    private static readonly string[] Namespaces = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"];
    private static readonly string[] NoCapability = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];

    private IEnumerable<WatchedProcess> Processes => running.Sandbox.Processes;

    private IEnumerable<ThreadStatus> Threads => Processes.SelectMany(ThreadStatus.Of);

    /// <summary>So that the others judge what they should: two block devices (root and disk), vsock, rng, balloon, net; two vCPUs, or a disk's eight, beside main thread and finalizer.</summary>
    [Fact]
    public void Sandbox_ThatRuns_HasAllItsProcessesAndThreads()
    {
        Assert.Equal(
            ["sandbox-vmm", "sandbox-device (root)", "sandbox-device (disk1)", "sandbox-device (vsock)", "sandbox-device (rng)", "sandbox-device (balloon)", "sandbox-device (net)"],
            Processes.Select(static process => process.Name));
        // KVM has a thread of its own in the VMM, which never leaves the kernel (kvm-nx-lpage-recovery, from Linux 6.3 on). The others judge it too.
        Assert.Equal([4, 10, 10, 2, 2, 2, 2], Processes.Select(static process => ThreadStatus.Of(process).Count(static thread => !thread["Name"].StartsWith("kvm-", StringComparison.Ordinal))));
    }

    [Fact]
    public void Threads_OfEveryProcess_AreUnderAllTheirFilters() => Assert.All(Threads, static thread =>
    {
        Assert.Equal(("2", "1"), (thread["Seccomp"], thread["NoNewPrivs"]));
        // Start and running; a vCPU's thread has one more on top. The VMM's other two are its main thread and the finalizer.
        int least = thread.Process == "sandbox-vmm" && thread.IsVcpu ? 3 : 2;
        Assert.True(thread.FilterCount == least, $"{thread}: {thread.FilterCount} filters, not {least}");
    });

    [Fact]
    public void Threads_OfEveryProcess_HaveNoCapability() =>
        Assert.All(Threads, static thread => Assert.All(NoCapability, set => Assert.Equal("0000000000000000", thread[set])));

    /// <summary>A huge page for each touched corner of a heap would be most of what a device process holds. Guest memory is the VMM's, and the host's matter.</summary>
    [Fact]
    public void Processes_OfDevices_HaveSmallPagesOnly() =>
        Assert.All(Threads, static thread => Assert.Equal(thread.Process == "sandbox-vmm" ? "1" : "0", thread["THP_enabled"]));

    [Fact]
    public void Threads_OfEveryProcess_AreTheirProcesssOwnUser()
    {
        Assert.All(Threads, static thread =>
        {
            string[] users = thread["Uid"].Split('\t');
            string[] groups = thread["Gid"].Split('\t');
            Assert.Single(users.Concat(groups).Distinct()); // real, effective, saved, for files
            Assert.NotEqual("0", users[0]);
        });
        if (Environment.IsPrivilegedProcess)
        {
            Assert.All(Threads, static thread => Assert.Equal("", thread["Groups"]));
            // Each its own: no two can signal or trace each other.
            Assert.Equal(Processes.Count(), Threads.Select(static thread => thread["Uid"]).Distinct().Count());
        }
    }

    [Fact]
    public void Processes_OfTheSandbox_ShareNoNamespaceWithAnybody()
    {
        Assert.All(Namespaces, name =>
        {
            string[] found = [Link("self", name), .. Processes.Select(process => Link(process.Child.Pid.ToString(CultureInfo.InvariantCulture), name))];
            Assert.Equal(found.Length, found.Distinct().Count());
        });
        Assert.All(Processes, static process =>
        {
            // Its threads are where it is.
            Assert.All(Directory.GetDirectories($"/proc/{process.Child.Pid}/task"), thread => Assert.All(Namespaces, name =>
                Assert.Equal(Link(process.Child.Pid.ToString(CultureInfo.InvariantCulture), name), File.ResolveLinkTarget($"{thread}/ns/{name}", false)!.Name)));
        });
    }

    private static string Link(string process, string name) => File.ResolveLinkTarget($"/proc/{process}/ns/{name}", false)!.Name;

    /// <summary>One sandbox for all questions about it.</summary>
    public sealed class Running : IAsyncLifetime
    {
        internal WholeSandbox Sandbox { get; private set; } = null!;

        public async Task InitializeAsync() => Sandbox = await WholeSandbox.StartAsync();

        public async Task DisposeAsync() => await Sandbox.DisposeAsync();
    }
}
