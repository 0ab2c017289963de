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
            # It runs until it is told to go on: what is looked at in between must not be over.
            ( echo from outside; while [ ! -e /tmp/work.go ]; do sleep 0.1; done; echo go ) | $sandbox run --selinux=required --timing --disk $image --disk /var/lib/sandbox/shared/ro.img:ro -- /bin/sh -c '
                read line; echo $line; head -c 100000 /dev/urandom | dd of=/dev/vdb bs=4096 conv=notrunc 2>/dev/null; sync; cmp -n 4096 /dev/vda /dev/vdc && echo same
                head -c 16 /dev/hwrng | wc -c; echo to error >&2; echo running; read line; exit 7' >/tmp/work.out 2>/tmp/work.err &
            for wait in $(seq 600); do grep -q running /tmp/work.out && break; sleep 0.1; done
            ps -eo label,args | grep -o 'sbx_[a-z]*_t:s0:c[0-9]*,c[0-9]*' | sort >/tmp/work.labels
            ls -Z $image /var/lib/sandbox/shared/ro.img >>/tmp/work.labels
            $sandbox selinux status >>/tmp/work.labels
            touch /tmp/work.go; wait $!; echo code $?
            cat /tmp/work.out; grep -c 'to error' /tmp/work.err; grep SELinux /tmp/work.err; cat /tmp/work.labels; ls -Z $image
            echo denials; denials
            [ ! -e /var/lib/sandbox/selinux ] && rm /tmp/work.*
            """);
        Expect.ExitCode(0, result);
        Assert.StartsWith("code 7\nfrom outside\nsame\n16\nrunning\n1\n", result.Text, StringComparison.Ordinal);
        Assert.True(result.Text.EndsWith("\ndenials", StringComparison.Ordinal), $"SELinux refused something, or the journal is still there: {result}");
        string pair = Regex.Match(result.Text, @"SELinux +s0:(c\d+,c\d+), enforcing").Groups[1].Value;
        Assert.NotEqual("", pair);
        // Every process has the type of its kind, and all have the one pair.
        foreach (string type in (string[])["sbx_vmm_t", "sbx_block_t", "sbx_vsock_t", "sbx_rng_t"])
        {
            Assert.Contains($"{type}:s0:{pair}\n", result.Text, StringComparison.Ordinal);
        }

        Assert.Contains($"sbx_image_t:s0:{pair} /var/lib/sandbox/images/work.img\n", result.Text, StringComparison.Ordinal); // while it ran
        Assert.Contains("sbx_image_ro_t:s0 /var/lib/sandbox/shared/ro.img\n", result.Text, StringComparison.Ordinal);
        Assert.Contains($"relabelled image         {pair} /var/lib/sandbox/images/work.img (before: system_u:object_r:sbx_image_t:s0)\n", result.Text, StringComparison.Ordinal);
        Assert.Contains("sbx_image_t:s0 /var/lib/sandbox/images/work.img\n", result.Text, StringComparison.Ordinal); // after it
    }

    /// <summary>A root made of a folder, and a kernel of no label that the VMM may read.</summary>
    [Fact]
    public async Task Sandbox_WithTheOperatorsOwnFiles_HasNoDenial()
    {
        CommandResult result = await lab.ScriptAsync(
            """
            mkdir -p /tmp/own/bin /tmp/own/dev /tmp/own/proc /tmp/own/sys /tmp/own/tmp; cp /bin/busybox /tmp/own/bin/; ln -sf busybox /tmp/own/bin/echo
            cp /opt/sandbox/share/kernels/debian/vmlinux /tmp/own.kernel; cp -r /opt/sandbox/share/kernels/debian/modules /tmp/
            $sandbox run --selinux=required --rootfs /tmp/own --kernel /tmp/own.kernel -- /bin/echo own files; echo code $?
            ls -Z /tmp/own.kernel; rm -rf /tmp/own /tmp/own.kernel /tmp/modules; denials
            """);
        Expect.Text("own files\ncode 0\nsystem_u:object_r:host_file_t:s0 /tmp/own.kernel", result);
    }
}
