using System.Diagnostics;
using Sandbox.Control.Jail;
using Sandbox.Launch;
using Sandbox.Linux;
using Xunit;

namespace Sandbox.Confinement.Tests.Jail;

/// <summary>The published sandbox-jail with a probe behind it, judged from inside and from outside.</summary>
[Collection("processes")] // one after the other: a test counts our children
public sealed class JailTests
{
    private const uint User = 3_000_017;

    // As root the jail becomes another user; without root it stays who it is.
    private static uint? Identity => Environment.IsPrivilegedProcess ? User : null;

    [Fact]
    public async Task Process_InJail_IsOurChildAndReportsItsExitCode()
    {
        using JailedProbe probe = await JailedProbe.StartAsync(JailedProbe.Spec(Identity));
        Assert.Equal(Environment.ProcessId.ToString(), probe.Status("PPid"));
        Assert.Equal("1", probe.Findings["pid"]);
        Assert.Equal("0", probe.Findings["parent"]);
        Assert.Equal("1", probe.Findings["session"]);
        Assert.Equal(new ExitStatus(42, 0), probe.Release());
    }

    [Fact]
    public async Task Identity_InJail_HasNoRightLeft()
    {
        using JailedProbe probe = await JailedProbe.StartAsync(JailedProbe.Spec(Identity));
        if (Identity is uint id)
        {
            Assert.Equal($"{id}\t{id}\t{id}\t{id}", probe.Status("Uid"));
            Assert.Equal($"{id}\t{id}\t{id}\t{id}", probe.Status("Gid"));
            Assert.Equal("", probe.Status("Groups"));
            Assert.Equal("0", probe.Findings["groups"]);
        }

        foreach (string set in (string[])["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
        {
            Assert.Equal("0000000000000000", probe.Status(set));
        }

        Assert.Equal("1", probe.Status("NoNewPrivs"));
        Assert.Equal("0", probe.Findings["bounding"]);
        Assert.Equal(0xEF.ToString(), probe.Findings["securebits"]);
        Assert.Equal("9", probe.Findings["deathsignal"]);
        Assert.Equal("63", probe.Findings["umask"]);
    }

    [Fact]
    public async Task Namespaces_InJail_AreAllItsOwn()
    {
        using JailedProbe first = await JailedProbe.StartAsync(JailedProbe.Spec(Identity));
        using JailedProbe second = await JailedProbe.StartAsync(JailedProbe.Spec(Identity));
        foreach (string name in (string[])["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"])
        {
            string ours = Link($"/proc/self/ns/{name}");
            string one = Link($"/proc/{first.Child.Pid}/ns/{name}");
            string two = Link($"/proc/{second.Child.Pid}/ns/{name}");
            Assert.Equal(3, new HashSet<string> { ours, one, two }.Count);
        }
    }

    [Fact]
    public async Task Root_InJail_IsEmptyAndReadOnly()
    {
        using JailedProbe probe = await JailedProbe.StartAsync(JailedProbe.Spec(Identity));
        if (Identity is not null)
        {
            Assert.Empty(Directory.GetFileSystemEntries($"/proc/{probe.Child.Pid}/root/"));
        }

        Assert.Equal(Number(Errno.EROFS), probe.Findings["create"]);
        Assert.Equal(Number(Errno.ENOENT), probe.Findings["parentdir"]);
        Assert.Equal(Number(Errno.ENOENT), probe.Findings["proc"]);
        string mount = Assert.Single(File.ReadAllLines($"/proc/{probe.Child.Pid}/mountinfo"));
        Assert.Contains(" / / ro,nosuid,nodev,noexec", mount, StringComparison.Ordinal);
        Assert.Contains(" - tmpfs ", mount, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fds_InJail_AreExactlyThoseOfTheSpec()
    {
        using JailedProbe probe = await JailedProbe.StartAsync(JailedProbe.Spec(Identity));
        Assert.Equal(["fd0", "fd1", "fd2", "fd5"], probe.Findings.Keys.Where(key => key.StartsWith("fd", StringComparison.Ordinal)));
        Assert.Equal("0", probe.Findings["environment"]);
        Assert.Equal("probe", probe.Findings["argument0"]);
        Assert.Equal("second argument", probe.Findings["argument1"]);
        Assert.False(probe.Findings.ContainsKey("argument2"));
    }

    [Fact]
    public async Task Limits_InJail_AreThoseOfTheSpec()
    {
        using JailedProbe probe = await JailedProbe.StartAsync(JailedProbe.Spec(Identity));
        Assert.Equal("0", probe.Findings["core"]);
        Assert.Equal("100", probe.Findings["files"]);
        Assert.Equal("20", probe.Findings["processes"]);
        Assert.Equal("0", probe.Findings["locked"]);
        Assert.Equal("-1", probe.Findings["filesize"]);
    }

    [Fact]
    public async Task Attempts_InJail_AreRefused()
    {
        using JailedProbe probe = await JailedProbe.StartAsync(JailedProbe.Spec(Identity));
        foreach (string attempt in (string[])["remount", "mount", "chroot", "namespace", "setuid", "hostname", "rawsocket", "raiselimit"])
        {
            // EINVAL: user 0 is not mapped at all.
            Assert.Contains(probe.Findings[attempt], (string[])[Number(Errno.EPERM), Number(Errno.EINVAL)]);
        }

        if (probe.Findings["mdwe"] == "1") // Linux 6.3
        {
            Assert.Equal(Number(Errno.EACCES), probe.Findings["executable"]);
        }
    }

    [Fact]
    public async Task UserNamespace_HostHasNone_RootBuildsTheOtherWalls()
    {
        if (Identity is not uint id)
        {
            JailException error = await Assert.ThrowsAsync<JailException>(() => JailedProbe.StartAsync(WithoutUserNamespace(null)));
            Assert.Equal(JailStep.Unshare, error.Step);
            return;
        }

        using JailedProbe probe = await JailedProbe.StartAsync(WithoutUserNamespace(id));
        Assert.Equal($"{id}\t{id}\t{id}\t{id}", probe.Status("Uid"));
        Assert.Equal("0000000000000000", probe.Status("CapPrm"));
        Assert.Equal("0000000000000000", probe.Status("CapBnd"));
        Assert.Empty(Directory.GetFileSystemEntries($"/proc/{probe.Child.Pid}/root/"));
        Assert.Equal(Number(Errno.EPERM), probe.Findings["mount"]);
        Assert.Equal(Link("/proc/self/ns/user"), Link($"/proc/{probe.Child.Pid}/ns/user"));
        Assert.NotEqual(Link("/proc/self/ns/mnt"), Link($"/proc/{probe.Child.Pid}/ns/mnt"));
    }

    [Fact]
    public async Task SecondWall_WhereNoOtherStands_Refuses()
    {
        // Modes and mounts would let it read the empty root, its network namespace would let it bind, and an inherited fd of a program could be run.
        using FdHandle other = FileOpen.Read(Repository.Exe("sandbox-vmm"));
        using JailedProbe probe = await JailedProbe.StartAsync(JailedProbe.Spec(Identity), five: other);
        int abi = HostFeatures.LandlockAbi();
        Assert.True(abi > 0, "this kernel has no Landlock: add landlock to lsm= on its command line");
        Assert.Equal(Number(Errno.EACCES), probe.Findings["readroot"]);
        Assert.Equal(Number(Errno.EACCES), probe.Findings["execother"]);
        Assert.Equal(abi >= 4 ? Number(Errno.EACCES) : "0", probe.Findings["bindtcp"]);
    }

    private static JailSpec WithoutUserNamespace(uint? id) => new() { UserId = id, GroupId = id, UserNamespace = false, Fds = [0, 1, 2], Arguments = ["probe"] };

    [Fact]
    public async Task Start_FileThatIsNoProgram_NamesTheStep()
    {
        FdHandle text = FileOpen.Read("/etc/passwd");
        JailException error = await Assert.ThrowsAsync<JailException>(() => JailedProbe.StartAsync(JailedProbe.Spec(Identity), text));
        Assert.Equal(JailStep.Execute, error.Step);
        Assert.Contains("step Execute", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_TwoHundredTimes_NeverFailsAndLeavesNothing()
    {
        for (int round = 0; round < 200; round++)
        {
            using JailedProbe probe = await JailedProbe.StartAsync(JailedProbe.Spec(Identity));
            Assert.Equal(42, probe.Release().Code);
        }

        Assert.Equal("", ChildProcesses.OfTheSpawner());
    }

    [Fact]
    public void Main_OfTheExe_IsOursAndNeedsNoRuntime()
    {
        // Without a spec the stage says so at once. The runtime would have made a second thread and hundreds of calls first.
        using Process process = Process.Start(new ProcessStartInfo(Repository.Exe("sandbox-jail")) { RedirectStandardError = true })!;
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(125, process.ExitCode);
        Assert.StartsWith("sandbox-jail: step 1 failed, error ", errors, StringComparison.Ordinal);
    }

    private static string Number(Errno errno) => ((int)errno).ToString();

    private static string Link(string path) => new FileInfo(path).LinkTarget!;
}
