using System.Globalization;

namespace Sandbox.Lab.Tests;

/// <summary>Disks in a Linux guest: a driver that comes and goes, a device process that dies, a host that has no more space.</summary>
[Collection(DeviceGroup.Name)]
public sealed class DiskTests(LabHost lab)
{
    [Fact]
    public async Task Driver_UnboundUnderLoadAndBoundAgain_FindsItsDiskEachTime()
    {
        CommandResult result = await lab.ScriptAsync(
            """
            truncate -s 8M /tmp/disk.img
            $sandbox run --cpus 2 --disk /tmp/disk.img -- /bin/sh -c '
                device=$(basename $(readlink -f /sys/block/vdb/device))
                cd /sys/bus/virtio/drivers/virtio_blk
                for round in 1 2 3 4 5 6; do
                    (while dd if=/dev/vdb of=/dev/null bs=4k count=64; do :; done) 2>/dev/null &
                    echo $device >unbind
                    [ -b /dev/vdb ] && exit 3
                    echo $device >bind
                    for wait in $(seq 50); do [ -b /dev/vdb ] && break; sleep 0.1; done
                    echo round $round | dd of=/dev/vdb bs=512 seek=$round conv=sync 2>/dev/null || exit 4
                    sync
                done
                kill $(jobs -p) 2>/dev/null
                dd if=/dev/vdb bs=512 skip=1 count=6 2>/dev/null | tr -d "\0"
            '
            code=$?
            rm /tmp/disk.img
            exit $code
            """);
        Expect.ExitCode(0, result);
        Expect.Text(string.Join('\n', Enumerable.Range(1, 6).Select(round => $"round {round}")), result);
    }

    /// <summary>The file behind a disk grows and shrinks while the guest reads and writes: it is told, and loses nothing that both sizes have.</summary>
    [Fact]
    public async Task Disk_WhoseFileHasAnotherSize_IsResizedInTheGuestUnderLoad()
    {
        CommandResult result = await lab.ScriptAsync(
            """
            truncate -s 8M /tmp/disk.img
            $sandbox run --cpus 2 --disk /tmp/disk.img -- /bin/sh -c '
                sized() { for wait in $(seq 300); do [ $(cat /sys/block/vdb/size) = $1 ] && { echo $1 sectors; return; }; sleep 0.1; done; exit 3; }
                (while :; do for block in 1 2 3 4 5 6 7 8; do echo block $block; done | dd of=/dev/vdb bs=512 conv=sync,fsync 2>/dev/null || echo error >/tmp/error; done) &
                echo ready
                sized 32768
                echo -n the new end | dd of=/dev/vdb bs=512 seek=32767 conv=sync,fsync 2>/dev/null || exit 4
                echo grown
                sized 16384
                kill %1
                [ -e /tmp/error ] && exit 5
                dd if=/dev/vdb bs=512 count=1 2>/dev/null | head -n 1
            ' >/tmp/said &
            sandbox=$!
            said() { for wait in $(seq 600); do grep -q $1 /tmp/said && return; kill -0 $sandbox || return; sleep 0.1; done; }
            said ready
            truncate -s 16M /tmp/disk.img; kill -USR1 $sandbox
            said grown
            tail -c 512 /tmp/disk.img | tr -d "\0"; echo
            truncate -s 8M /tmp/disk.img; kill -USR1 $sandbox
            wait $sandbox
            code=$?
            cat /tmp/said
            rm /tmp/said /tmp/disk.img
            exit $code
            """);
        Expect.ExitCode(0, result);
        Expect.Text("the new end\nready\n32768 sectors\ngrown\n16384 sectors\nblock 1", result);
    }

    /// <summary>A size that no disk can have is a line, and the guest keeps its disk.</summary>
    [Fact]
    public async Task Disk_WhoseFileHasNoSizeForADisk_StaysAsItIs()
    {
        CommandResult result = await lab.ScriptAsync(
            """
            truncate -s 1M /tmp/disk.img; mkfifo /tmp/line
            $sandbox run --disk /tmp/disk.img -- /bin/sh -c 'echo ready; read line; cat /sys/block/vdb/size' </tmp/line >/tmp/said 2>/tmp/errors &
            sandbox=$!
            exec 3>/tmp/line
            for wait in $(seq 600); do grep -q ready /tmp/said && break; sleep 0.1; done
            truncate -s 1000 /tmp/disk.img; kill -USR1 $sandbox
            for wait in $(seq 600); do [ -s /tmp/errors ] && break; sleep 0.1; done
            echo go >&3; exec 3>&-
            wait $sandbox
            code=$?
            cat /tmp/said /tmp/errors
            rm /tmp/line /tmp/said /tmp/errors /tmp/disk.img
            exit $code
            """);
        Expect.ExitCode(0, result);
        Expect.Text("ready\n2048\nsandbox: disk /tmp/disk.img has 1000 bytes, which is no positive multiple of 512; round it up with truncate(1)", result);
    }

    [Fact]
    public async Task Host_WithoutSpace_IsAnErrorInTheGuestAndNothingElse()
    {
        CommandResult result = await lab.ScriptAsync(
            """
            mkdir /tmp/small && mount -t tmpfs -o size=2M none /tmp/small && truncate -s 16M /tmp/small/disk.img
            $sandbox run --disk /tmp/small/disk.img -- /bin/sh -c '
                dd if=/dev/zero of=/dev/vdb bs=64k count=200 conv=fsync 2>&1 | grep -o "Input/output error"
                echo -n start >/tmp/start; dd if=/tmp/start of=/dev/vdb conv=fsync 2>/dev/null && dd if=/dev/vdb bs=1 count=5 2>/dev/null
            '
            code=$?
            umount /tmp/small; rmdir /tmp/small
            exit $code
            """);
        Expect.ExitCode(0, result);
        Expect.Text("Input/output error\nstart", result);
    }

    /// <summary>Stopped for as long as a host may be busy elsewhere: the guest waits and goes on.</summary>
    [Fact]
    public async Task DeviceProcess_StoppedForTenSeconds_IsAPauseInTheGuest()
    {
        CommandResult result = await lab.ScriptAsync(
            """
            truncate -s 8M /tmp/disk.img
            (for wait in $(seq 300); do grep -q ready /tmp/paused && break; sleep 0.1; done
             pkill -STOP -o -f '^sandbox-device .disk1.'; sleep 10; pkill -CONT -o -f '^sandbox-device .disk1.') &
            $sandbox run --disk /tmp/disk.img -- /bin/sh -c '
                echo ready
                now() { cut -d. -f1 /proc/uptime; }
                begun=$(now)
                while [ $(($(now) - begun)) -lt 300 ]; do
                    before=$(now)
                    echo more | dd of=/dev/vdb conv=fsync 2>/dev/null || exit 3
                    [ $(($(now) - before)) -ge 8 ] && { echo paused; exit; }
                done
            ' >/tmp/paused
            code=$?
            cat /tmp/paused
            rm /tmp/paused /tmp/disk.img
            exit $code
            """);
        Expect.ExitCode(0, result);
        Expect.Text("ready\npaused", result);
    }

    [Fact]
    public async Task DeviceProcess_OfTheRootDiskKilledTwice_IsReplacedAndTheCommandNoticesNothing()
    {
        CommandResult result = await lab.ScriptAsync(
            """
            (for wait in $(seq 300); do grep -q ready /tmp/killed && break; sleep 0.1; done
             for kill in 1 2; do sleep 1; pkill -KILL -o -f '^sandbox-device .root.'; done) &
            $sandbox run -- /bin/sh -c '
                echo ready
                sum=$(sha256sum /bin/busybox)
                end=$(($(cut -d. -f1 /proc/uptime) + 4))
                while [ $(cut -d. -f1 /proc/uptime) -lt $end ]; do
                    echo 3 >/proc/sys/vm/drop_caches
                    [ "$(sha256sum /bin/busybox)" = "$sum" ] || exit 3
                done
                echo $(dmesg | grep -c "I/O error")
            ' >/tmp/killed
            code=$?
            cat /tmp/killed
            rm /tmp/killed
            exit $code
            """);
        Expect.ExitCode(0, result);
        Expect.Text("ready\n0", result);
    }

    /// <summary>Neither a request nor its interrupt leaves the guest for the VMM: KVM counts the register accesses that do, and there were two for each.</summary>
    [Fact]
    public async Task Requests_ByTheHundred_AreNoExitToTheVmm()
    {
        CommandResult result = await lab.ScriptAsync(
            """
            mountpoint -q /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug || exit 2
            mkfifo /tmp/turn && exec 3<>/tmp/turn
            $sandbox run -- /bin/sh -c '
                echo ready; read go
                for count in $(seq 10); do dd if=/dev/vda of=/dev/null bs=4k count=50 iflag=direct 2>/dev/null || exit 3; done
                echo done; read end; grep virtio /proc/interrupts' <&3 >/tmp/turns &
            sandbox=$!
            for wait in $(seq 600); do grep -q ready /tmp/turns && break; sleep 0.1; done
            before=$(cat /sys/kernel/debug/kvm/mmio_exits)
            echo go >&3
            for wait in $(seq 600); do grep -q done /tmp/turns && break; sleep 0.1; done
            after=$(cat /sys/kernel/debug/kvm/mmio_exits)
            echo end >&3
            wait $sandbox
            code=$?
            echo $((after - before))
            cat /tmp/turns >&2
            rm -f /tmp/turn /tmp/turns
            exit $code
            """);
        Expect.ExitCode(0, result);
        Assert.True(int.Parse(result.Text, CultureInfo.InvariantCulture) < 100, $"{result.Text} exits for 500 requests\n{result.Error}");
    }

    [Fact]
    public async Task DeviceProcess_KilledAgainAndAgain_IsGivenUpWithALine()
    {
        CommandResult result = await lab.ScriptAsync(
            """
            $sandbox run -- /bin/sh -c 'echo ready; sleep 600' >/tmp/storm &
            sandbox=$!
            for wait in $(seq 400); do grep -q ready /tmp/storm && break; sleep 0.1; done
            while kill -0 $sandbox 2>/dev/null; do pkill -KILL -f '^sandbox-device .rng.'; sleep 0.05; done
            rm /tmp/storm
            wait $sandbox
            """);
        Expect.Failure(result, "sandbox-device (rng) died 21 times within 60 s", "SIGKILL");
    }

    /// <summary>A backend that nobody here wrote, behind our VMM, with Debian's driver in front.</summary>
    [Fact]
    public async Task QemuStorageDaemon_BehindOurVmm_ServesADisk()
    {
        CommandResult result = await lab.ScriptAsync(
            """
            truncate -s 32M /tmp/foreign.img
            qemu-storage-daemon --blockdev driver=file,node-name=file,filename=/tmp/foreign.img --blockdev driver=raw,node-name=disk,file=file \
                --export type=vhost-user-blk,id=export,node-name=disk,writable=on,addr.type=unix,addr.path=/tmp/foreign.socket &
            for wait in $(seq 300); do [ -S /tmp/foreign.socket ] && break; sleep 0.1; done
            $sandbox run --rootfs artifacts/fio-root.erofs --device vhost-user=/tmp/foreign.socket,type=blk -- /bin/sh -c '
                fio --name=verify --filename=/dev/vdb --direct=1 --ioengine=libaio --iodepth=8 --rw=randrw --bs=4k --size=8M --verify=crc32c --verify_fatal=1 >/tmp/fio 2>&1 || { cat /tmp/fio; exit 1; }
                /bin/mke2fs -q -F -t ext4 /dev/vdb && mount -t ext4 /dev/vdb /mnt && echo content >/mnt/file && umount /mnt || exit 2
                /bin/e2fsck -f -n /dev/vdb >/tmp/fsck 2>&1 || { cat /tmp/fsck; exit 3; }
                mount -t ext4 /dev/vdb /mnt && cat /mnt/file
            '
            code=$?
            kill %1; wait %1
            rm -f /tmp/foreign.img /tmp/foreign.socket
            exit $code
            """);
        Expect.ExitCode(0, result);
        Expect.Text("content", result);
    }

    /// <summary>The same for files: the host's folder as a file system of the guest's, read and written.</summary>
    [Fact]
    public async Task Virtiofsd_BehindOurVmm_ServesAFolder()
    {
        CommandResult result = await lab.ScriptAsync(
            """
            mkdir -p /tmp/shared/folder; head -c 8000000 /dev/urandom >/tmp/shared/folder/file
            /usr/lib/qemu/virtiofsd --socket-path=/tmp/shared.socket -o source=/tmp/shared >/tmp/shared.log 2>&1 &
            for wait in $(seq 300); do [ -S /tmp/shared.socket ] && break; sleep 0.1; done
            $sandbox run --device vhost-user=/tmp/shared.socket,type=fs,tag=work,space -- /bin/sh -c '
                mkdir /tmp/work && mount -t virtiofs work,space /tmp/work && cd /tmp/work || exit 2
                sha256sum <folder/file; cp folder/file copy && echo "from the guest" >words && mv words folder/ && rm copy && mkdir made && ls; cd /; umount /tmp/work'
            code=$?
            wait
            sha256sum </tmp/shared/folder/file; cat /tmp/shared/folder/words; ls /tmp/shared
            [ $code = 0 ] || cat /tmp/shared.log >&2
            rm -rf /tmp/shared /tmp/shared.*
            exit $code
            """);
        Expect.ExitCode(0, result);
        string[] lines = result.Text.Split('\n');
        Assert.Equal(["folder", "made"], lines[1..3]);
        Assert.Equal([lines[0], "from the guest", "folder", "made"], lines[3..]);
    }
}
