using System.Text.RegularExpressions;

namespace Sandbox.Lab.Tests.SeLinux;

/// <summary>What sandboxes are for works under the enforced policy, without one refusal.</summary>
[Collection(EnforcingGroup.Name)]
public sealed class WorkloadTests(EnforcingLab lab)
{
    [Fact]
    public async Task Sandbox_WithItsWholeWorkload_HasNoDenial()
    {
        CommandResult result = await lab.ScriptAsync(
            """
            image=/var/lib/sandbox/images/work.img
            truncate -s 1M $image; chcon -t sbx_image_t $image
            cp /opt/sandbox/share/rootfs.erofs /var/lib/sandbox/shared/ro.img; chcon -t sbx_image_ro_t /var/lib/sandbox/shared/ro.img
            ip tuntap add dev tap7 mode tap; ip addr add 192.168.77.1/24 dev tap7; ip link set tap7 up
            # It runs until it is told to go on: what is looked at in between must not be over.
            # In three seconds its kernel has reported free memory to the balloon, which has made holes in guest memory.
            ( echo from outside; while [ ! -e /tmp/work.go ]; do sleep 0.1; done; echo go ) | $sandbox run --selinux=required --timing --disk $image --disk /var/lib/sandbox/shared/ro.img:ro \
                --balloon --cpus 2 --net tap=tap7,queues=2 --ip 192.168.77.2/24 --gateway 192.168.77.1 -- /bin/sh -c '
                read line; echo $line; head -c 100000 /dev/urandom | dd of=/dev/vdb bs=4096 conv=notrunc 2>/dev/null; sync; cmp -n 4096 /dev/vda /dev/vdc && echo same
                head -c 16 /dev/hwrng | wc -c; sleep 3; wget -q -O - http://198.51.100.1:8000/file | wc -c; echo to error >&2; echo running; read line; wget -q -O - http://198.51.100.1:8000/file | wc -c; exit 7' >/tmp/work.out 2>/tmp/work.err &
            for wait in $(seq 600); do grep -q running /tmp/work.out && break; sleep 0.1; done
            pkill -KILL -f '^sandbox-device .net.' # its successor has a label, the interface and the memfd as it had
            for wait in $(seq 100); do sleep 0.1; ps -eo label | grep -q sbx_net_t && break; done
            ps -eo label,args | grep -o 'sbx_[a-z]*_t:s0:c[0-9]*,c[0-9]*' | sort >/tmp/work.labels
            ls -Z $image /var/lib/sandbox/shared/ro.img >>/tmp/work.labels
            $sandbox selinux status >>/tmp/work.labels
            touch /tmp/work.go; wait $!; echo code $?
            cat /tmp/work.out; grep -c 'to error' /tmp/work.err; grep SELinux /tmp/work.err; cat /tmp/work.labels; ls -Z $image
            echo denials; denials
            [ ! -e /var/lib/sandbox/selinux ] && rm /tmp/work.*
            ip link del tap7
            """);
        Expect.ExitCode(0, result);
        Assert.StartsWith("code 7\nfrom outside\nsame\n16\n200000\nrunning\n200000\n1\n", result.Text, StringComparison.Ordinal);
        Assert.True(result.Text.EndsWith("\ndenials", StringComparison.Ordinal), $"SELinux refused something, or the journal is still there: {result}");
        string pair = Regex.Match(result.Text, @"SELinux +s0:(c\d+,c\d+), enforcing").Groups[1].Value;
        Assert.NotEqual("", pair);
        // Every process has the type of its kind, and all have the one pair.
        foreach (string type in (string[])["sbx_vmm_t", "sbx_block_t", "sbx_vsock_t", "sbx_rng_t", "sbx_net_t", "sbx_balloon_t"])
        {
            Assert.Contains($"{type}:s0:{pair}\n", result.Text, StringComparison.Ordinal);
        }

        Assert.Contains($"sbx_image_t:s0:{pair} /var/lib/sandbox/images/work.img\n", result.Text, StringComparison.Ordinal); // while it ran
        Assert.Contains("sbx_image_ro_t:s0 /var/lib/sandbox/shared/ro.img\n", result.Text, StringComparison.Ordinal);
        Assert.Contains($"relabelled image         {pair} /var/lib/sandbox/images/work.img (before: system_u:object_r:sbx_image_t:s0)\n", result.Text, StringComparison.Ordinal);
        Assert.Contains("sbx_image_t:s0 /var/lib/sandbox/images/work.img\n", result.Text, StringComparison.Ordinal); // after it
    }

    /// <summary>A root made of a folder, a kernel of no label that the VMM may read, and a program that listens on a socket for the guest, for the connection made at the start and one made later.</summary>
    [Fact]
    public async Task Sandbox_WithTheOperatorsOwnFiles_HasNoDenial()
    {
        string peer = CompiledProgram.Of("tests/Lab/Tests/peer.c");
        CommandResult result = await lab.ScriptAsync(
            $$"""
            mkdir -p /srv/own/bin /srv/own/dev /srv/own/proc /srv/own/sys /srv/own/tmp; cp /bin/busybox {{peer}} /srv/own/bin/; ln -sf busybox /srv/own/bin/sh
            timeout 60 {{peer}} serve /srv/own.service 2 & for wait in $(seq 300); do [ -S /srv/own.service ] && break; sleep 0.1; done
            cp /opt/sandbox/share/kernels/debian/vmlinux /srv/own.kernel; cp -r /opt/sandbox/share/kernels/debian/modules /srv/
            $sandbox run --selinux=required --rootfs /srv/own --kernel /srv/own.kernel --vsock 5000=/srv/own.service -- /bin/sh -c 'echo own files; /bin/peer call 5000 hello; /bin/peer call 5000 again'; echo code $?; wait
            ls -Z /srv/own.kernel; rm -rf /srv/own /srv/own.* /srv/modules; denials
            """);
        Expect.Text("own files\nyou said hello\nyou said again\ncode 0\nsystem_u:object_r:host_file_t:s0 /srv/own.kernel", result);
    }

    /// <summary>Programs of the operator's that serve a device: they get the guest's memory and the VMM's events, whose labels are the sandbox's.</summary>
    [Fact]
    public async Task Sandbox_WithVhostUserBackendsOfTheOperators_HasNoDenial()
    {
        CommandResult result = await lab.ScriptAsync(
            """
            mkdir -p /tmp/served/folder; echo of a folder >/tmp/served/folder/file; truncate -s 4M /tmp/served/disk; echo of a disk | dd of=/tmp/served/disk conv=notrunc 2>/dev/null
            qemu-storage-daemon --blockdev driver=file,node-name=file,filename=/tmp/served/disk --blockdev driver=raw,node-name=disk,file=file \
                --export type=vhost-user-blk,id=export,node-name=disk,writable=on,addr.type=unix,addr.path=/tmp/served/disk.socket & disk=$!
            /usr/lib/qemu/virtiofsd --socket-path=/tmp/served/folder.socket -o source=/tmp/served/folder >/dev/null 2>&1 &
            for wait in $(seq 300); do [ -S /tmp/served/disk.socket ] && [ -S /tmp/served/folder.socket ] && break; sleep 0.1; done
            $sandbox run --selinux=required --device vhost-user=/tmp/served/disk.socket,type=blk --device vhost-user=/tmp/served/folder.socket,type=fs,tag=work -- /bin/sh -c '
                head -n 1 /dev/vdb; echo by the guest | dd of=/dev/vdb bs=4096 conv=sync,fsync 2>/dev/null
                mkdir /tmp/work && mount -t virtiofs work /tmp/work && cat /tmp/work/file; echo too >/tmp/work/new; umount /tmp/work'
            echo code $?; kill $disk; wait; head -n 1 /tmp/served/disk; cat /tmp/served/folder/new; rm -r /tmp/served; denials
            """);
        Expect.Text("of a disk\nof a folder\ncode 0\nby the guest\ntoo", result);
    }

    /// <summary>passt has a domain of its own too, for it reads what the guest sends.</summary>
    [Fact]
    public async Task Sandbox_WithUserNetworking_HasNoDenial()
    {
        CommandResult result = await lab.ScriptAsync(
            """
            $sandbox run --selinux=required --net user --dns 198.51.100.1 -p 8080:80 -- /bin/sh -c '
                wget -q -O - http://198.51.100.1:8000/file | wc -c; nslookup -timeout=1 example.org >/dev/null; echo running; nc -l -p 80 >/dev/null; exit 7' >/tmp/work.out &
            for wait in $(seq 600); do grep -q running /tmp/work.out && break; sleep 0.1; done
            ps -eo label | grep -oE '(passt_t:s0|sbx_net_t:s0:c).*' | sed 's/:c.*/ at a pair/' | sort
            while kill -0 $! 2>/dev/null; do busybox nc -w 1 127.0.0.1 8080 </dev/null >/dev/null 2>&1; sleep 0.2; done # until the guest hears one
            wait $!; echo code $?; cat /tmp/work.out; rm /tmp/work.out; denials
            """);
        Expect.Text("passt_t:s0\nsbx_net_t:s0 at a pair\ncode 7\n200000\nrunning", result);
    }

    /// <summary>A device process is killed in the middle of its work; its successor has the same label and does what was in flight.</summary>
    [Fact]
    public async Task DeviceProcess_Killed_IsReplacedAtTheSamePairWithoutADenial()
    {
        CommandResult result = await lab.ScriptAsync(
            """
            image=/var/lib/sandbox/images/crash.img
            truncate -s 8M $image; chcon -t sbx_image_t $image
            # It runs until it is told to go on: a successor is looked for while there is one.
            ( while [ ! -e /tmp/crash.go ]; do sleep 0.1; done; echo go ) | $sandbox run --selinux=required --disk $image -- /bin/sh -c '
                echo running; for round in 1 2 3 4 5 6; do dd if=/dev/urandom of=/dev/vdb bs=64k count=100 conv=fsync 2>/dev/null || echo FAILED; done
                read line; dd if=/dev/vdb of=/dev/null bs=64k 2>/dev/null && echo read' >/tmp/crash.out 2>/tmp/crash.err & launcher=$!
            until grep -q running /tmp/crash.out || [ $SECONDS -gt 100 ]; do sleep 0.1; done
            which() { ps -o pid=,label=,args= --ppid $launcher | sed -n 's/^ *\([0-9]* [^ ]*\) *sandbox-device .disk1.*/\1/p'; }
            before=$(which); kill -KILL ${before%% *}; SECONDS=0
            until after=$(which); [ "${after%% *}" != "${before%% *}" ] && [[ $after == *sbx_block_t* ]] || [ $SECONDS -gt 60 ]; do sleep 0.1; done
            [ "${after#* }" = "${before#* }" ] && echo same label as before: ${after#* } | sed 's/s0:.*/at a pair/' || { echo "before: $before"; echo "after: $after"; ps -eo pid,ppid,stat,label,args; }
            touch /tmp/crash.go; wait $launcher; echo code $?; cat /tmp/crash.out /tmp/crash.err; stat -c %C $image; rm $image /tmp/crash.*; denials
            """);
        Assert.Matches(@"^same label as before: system_u:system_r:sbx_block_t:at a pair\ncode 0\nrunning\nread\n(.*\n)*system_u:object_r:sbx_image_t:s0$", result.Text);
        Assert.DoesNotContain("avc:", result.Text, StringComparison.Ordinal);
    }

    /// <summary>Control groups: limited, in use by all processes, with a keeper in a domain of its own, and gone with a killed launcher.</summary>
    [Fact]
    public async Task Sandbox_WithLimits_HasNoDenialAndLeavesNoGroup()
    {
        CommandResult result = await lab.ScriptAsync(
            """
            root=/sys/fs/cgroup; for name in memory pids cpu io; do echo +$name >$root/cgroup.subtree_control; done
            $sandbox run --selinux=required --memory-limit 512M --pids-limit 100 --cpu-limit 300% -- /bin/sh -c 'echo ready; sleep 600' >/tmp/limits.out & launcher=$!
            for wait in $(seq 600); do grep -q ready /tmp/limits.out && break; sleep 0.1; done
            cat $root/sandbox-$launcher-*/memory.max $root/sandbox-$launcher-*/pids.max $root/sandbox-$launcher-*/cpu.max; for process in $(cat $root/sandbox-$launcher-*/cgroup.procs); do ps -o args= $process; done | grep -c ^sandbox-
            ps -eo label,args | grep -o 'sbx_keeper_t:s0 *sandbox-keeper' | tr -s ' '
            kill -KILL $launcher; wait $launcher 2>/dev/null
            for wait in $(seq 100); do ls -d $root/sandbox-* >/dev/null 2>&1 || break; sleep 0.1; done; ls -d $root/sandbox-* 2>/dev/null
            # One whose keeper is killed: the launcher ends the microVM and removes the group itself.
            $sandbox run --selinux=required -- /bin/sh -c 'echo ready; sleep 600' >/tmp/limits.out 2>/tmp/limits.err & launcher=$!
            for wait in $(seq 600); do grep -q ready /tmp/limits.out && break; sleep 0.1; done
            kill -KILL $(pgrep -f ^sandbox-keeper); wait $launcher; echo code $?; grep -c 'keeper' /tmp/limits.err; ls -d $root/sandbox-* 2>/dev/null
            rm /tmp/limits.*; denials
            """);
        Expect.Text("536870912\n100\n300000 100000\n4\nsbx_keeper_t:s0 sandbox-keeper\ncode 125\n1", result);
    }
}
