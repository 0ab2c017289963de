namespace Sandbox.Lab.Tests;

/// <summary>What the processes of a microVM may use of a host with control groups of version 2.</summary>
[Collection(LabGroup.Name)]
public sealed class LimitTests(LabHost lab)
{
    // A host's service manager does this at boot; the guest host has none.
    private const string Enable = "root=/sys/fs/cgroup; for name in memory pids cpu io; do echo +$name >$root/cgroup.subtree_control; done; ";

    private const string RunInBackground =
        "$sandbox run --memory 128M -- /bin/sh -c 'echo ready; sleep 600' >/tmp/limits.out & launcher=$!; for wait in $(seq 400); do grep -q ready /tmp/limits.out && break; sleep 0.1; done; rm /tmp/limits.out; ";

    private const string UntilGone = "for wait in $(seq 100); do ls -d $root/sandbox-* >/dev/null 2>&1 || break; sleep 0.1; done; ls -d $root/sandbox-* 2>/dev/null; ";

    [Fact]
    public async Task Processes_OfAMicroVm_AreInALimitedGroupThatDiesWithTheLauncher()
    {
        CommandResult result = await lab.ScriptAsync(
            Enable + RunInBackground +
            "group=$(echo $root/sandbox-$launcher-*); cat $group/memory.max $group/memory.swap.max $group/pids.max $group/cpu.max; " +
            "for name in vmm device; do for process in $(pgrep -f ^sandbox-$name); do grep -qx $process $group/cgroup.procs && echo $name; done; done; " +
            "kill -KILL $launcher; wait $launcher 2>/dev/null; " + UntilGone);
        // 128M, a sixteenth of it and 96M; 16 threads for each of five processes and one for the virtual processor; five processors; root, vsock and rng.
        Expect.Text($"{(128L + 8 + 96) << 20}\n0\n81\n500000 100000\nvmm\ndevice\ndevice\ndevice", result);
    }

    /// <summary>passt is a program of the host, but what it does the guest makes it do.</summary>
    [Fact]
    public async Task Passt_OfAUserNetwork_IsInTheGroupToo()
    {
        const string lan = "ip tuntap add dev lan0 mode tap; ip addr add 198.51.100.1/24 dev lan0; ip link set lan0 up; ip route add default via 198.51.100.254 dev lan0; ";
        CommandResult result = await lab.ScriptAsync(
            Enable + lan + RunInBackground.Replace("run ", "run --net user ", StringComparison.Ordinal) +
            "for process in $(pgrep ^passt); do grep -qx $process $root/sandbox-$launcher-*/cgroup.procs && echo passt; done; " +
            "kill -KILL $launcher; wait $launcher 2>/dev/null; " + UntilGone + "ip link del lan0");
        Expect.Text("passt", result);
    }

    [Fact]
    public async Task Memory_BeyondTheLimit_EndsTheMicroVmAndNothingElse()
    {
        // The guest fills its own memory; with the tables for it that is more than the processes may have.
        CommandResult result = await lab.ScriptAsync(Enable + "$sandbox run --memory 128M --memory-limit 128M -- /bin/sh -c 'tail /dev/zero'; code=$?; " + UntilGone + "exit $code");
        Expect.Failure(result, "memory limit", "--memory-limit");
    }

    [Fact]
    public async Task Limit_AskedForByWhoCannotHaveOne_IsAFailureWithItsCure()
    {
        CommandResult result = await lab.ScriptAsync(PrivilegeTests.OpenToAll + PrivilegeTests.AsNobody + "run --pids-limit 200 -- /bin/true; " + PrivilegeTests.Closed);
        Expect.Failure(result, "threads", "delegated");
    }

    [Fact]
    public async Task DelegatedGroup_OfAnOrdinaryUser_HoldsItsLimits()
    {
        const string delegated = "mkdir -p $root/user/shell; for name in memory pids cpu io; do echo +$name >$root/user/cgroup.subtree_control; done; chown -R 65534 $root/user; echo $$ >$root/user/shell/cgroup.procs; ";
        const string back = "code=$?; echo $$ >$root/cgroup.procs; rmdir $root/user/shell $root/user; chmod $mode /dev/kvm; rm -rf /tmp/everybody; exit $code";
        CommandResult result = await lab.ScriptAsync(Enable + PrivilegeTests.OpenToAll + delegated + PrivilegeTests.AsNobody + "run --memory-limit 512M --pids-limit 200 --cpu-limit 300% -- /bin/sh -c 'exit 6'; " + back);
        Expect.ExitCode(6, result);
    }

    /// <summary>A folder that the user may write, in which nothing may be moved: no limit was asked for, so the guest runs without.</summary>
    [Fact]
    public async Task GroupThatCannotBeEntered_NoLimitAskedFor_RunsWithoutAndSaysSo()
    {
        const string half = "mkdir -p $root/user/shell; for name in memory pids cpu io; do echo +$name >$root/user/cgroup.subtree_control; done; chown 65534 $root/user; echo $$ >$root/user/shell/cgroup.procs; ";
        const string back = "code=$?; grep limits /tmp/half; echo $$ >$root/cgroup.procs; rmdir $root/user/shell $root/user; chmod $mode /dev/kvm; rm -rf /tmp/everybody /tmp/half; exit $code";
        CommandResult result = await lab.ScriptAsync(Enable + PrivilegeTests.OpenToAll + half + PrivilegeTests.AsNobody + "run --timing -- /bin/sh -c 'exit 6' 2>/tmp/half; " + back);
        Expect.ExitCode(6, result);
        Expect.Text("sandbox: host limits        no limit is held for memory, threads, processors: this user may move no process into groups in /sys/fs/cgroup/user", result);
    }

    /// <summary>The whole subtree is the user's, but the user's processes are outside: the kernel refuses the move, and the limit was asked for.</summary>
    [Fact]
    public async Task GroupThatCannotBeEntered_LimitAskedFor_IsAFailureThatLeavesNothing()
    {
        const string outside = "mkdir -p $root/user; for name in memory pids cpu io; do echo +$name >$root/user/cgroup.subtree_control; done; chown -R 65534 $root/user; ";
        const string back = "code=$?; rmdir $root/user; chmod $mode /dev/kvm; rm -rf /tmp/everybody; exit $code";
        CommandResult result = await lab.ScriptAsync(Enable + PrivilegeTests.OpenToAll + outside + PrivilegeTests.AsNobody + "run --cgroup-parent /user --pids-limit 200 -- /bin/true; " + back);
        Expect.Failure(result, "move a process into a control group made in /sys/fs/cgroup/user", "EACCES");
    }
}
