namespace Sandbox.Lab.Tests;

/// <summary>What the options of `sandbox run` make of the guest.</summary>
[Collection(LabGroup.Name)]
public sealed class GuestSetupTests(LabHost lab)
{
    [Fact]
    public async Task EnvironmentWorkdirAndHostname_WhenGiven_AreThereInTheGuest()
    {
        CommandResult result = await lab.SandboxAsync(
            "run", "--env", "A=one two", "--env", "B=", "--workdir", "/etc", "--hostname", "tester", "--", "/bin/sh", "-c", "echo \"$A|${B-unset}\"; pwd; hostname");
        Expect.ExitCode(0, result);
        Assert.Equal(["one two|", "/etc", "tester"], result.Text.Split('\n'));
    }

    [Fact]
    public async Task Root_WhenWritten_StaysUnchangedOnTheHost()
    {
        CommandResult result = await lab.ScriptAsync(
            """
            mkdir -p /tmp/root/{bin,dev,proc,sys,tmp,run,etc,root}
            cp /bin/busybox /tmp/root/bin/
            for name in sh cat sync rm; do ln -sf busybox /tmp/root/bin/$name; done
            echo before >/tmp/root/etc/file
            $sandbox run --rootfs /tmp/root -- /bin/sh -c 'echo after >/etc/file; cat /etc/file; rm /bin/cat; sync' || exit
            cat /tmp/root/etc/file
            ls /tmp/root/bin | tr '\n' ' '
            rm -rf /tmp/root
            """);
        Expect.ExitCode(0, result);
        Assert.Equal(["after", "before", "busybox cat rm sh sync"], result.Text.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task Disk_Writable_KeepsWhatTheGuestWrites()
    {
        CommandResult result = await lab.ScriptAsync(
            """
            truncate -s 16M /tmp/disk
            $sandbox run --disk /tmp/disk -- /bin/sh -c 'cat /sys/block/vdb/size; echo from the guest | dd of=/dev/vdb bs=512 seek=100 conv=sync 2>/dev/null; sync' || exit
            dd if=/tmp/disk bs=512 skip=100 count=1 status=none | head -c 14
            rm -f /tmp/disk
            """);
        Expect.ExitCode(0, result);
        Assert.Equal(["32768", "from the guest"], result.Text.Split('\n'));
    }

    [Fact]
    public async Task Disk_ReadOnly_CannotBeWritten()
    {
        CommandResult result = await lab.ScriptAsync(
            """
            truncate -s 1M /tmp/disk
            $sandbox run --disk /tmp/disk:ro -- /bin/sh -c 'cat /sys/block/vdb/ro; dd if=/bin/busybox of=/dev/vdb bs=512 count=1 2>/dev/null && sync && echo written'
            cmp /tmp/disk <(head -c 1M /dev/zero) && echo untouched
            rm -f /tmp/disk
            """);
        Assert.Equal(["1", "untouched"], result.Text.Split('\n'));
    }

    [Fact]
    public async Task Ext4Image_AsRoot_IsMounted()
    {
        CommandResult result = await lab.ScriptAsync(
            """
            mkdir -p /tmp/root/{bin,dev,proc,sys,tmp,run}
            cp /bin/busybox /tmp/root/bin/
            ln -sf busybox /tmp/root/bin/sh
            mke2fs -q -F -t ext4 -d /tmp/root /tmp/root.ext4 32M >/dev/null || exit
            $sandbox run --rootfs /tmp/root.ext4 -- /bin/busybox sh -c '/bin/busybox echo ext4 works'
            code=$?
            rm -rf /tmp/root /tmp/root.ext4
            exit $code
            """);
        Expect.ExitCode(0, result);
        Expect.Text("ext4 works", result);
    }
}
