using System.Diagnostics;
using Sandbox.Lab.Machine;

namespace Sandbox.Lab.Tests.SeLinux;

/// <summary>
/// A lab host of its own whose kernel enforces the appliance's policy (src/selinux), with Sandbox installed and labelled in
/// /opt/sandbox, and with a network whose one host, 198.51.100.1:8000, serves /var/tmp/www. Always the lab host, also where this machine virtualizes: this machine's own policy is not ours to replace.
/// </summary>
public sealed class EnforcingLab : IDisposable
{
    private static readonly TimeSpan DefaultLimit = TimeSpan.FromSeconds(420); // half a minute to two, by what else the machine does

    private readonly LabGuestHost _host;

    public EnforcingLab()
    {
        string policy = Product.Share("selinux");
        LabOptions options = LabOptions.ForRepository(Product.Root) with
        {
            // The backlog: with the default of 64, refusals in quick succession are lost before the kernel's thread has printed them.
            // norandmaps: the emulator keeps what it has translated by virtual address. Where an exe lies elsewhere each time, each start of it
            // is translated anew: a start of a sandbox takes five times as long in user mode.
            KernelWords = $"norandmaps security=selinux enforcing=1 audit=1 audit_backlog_limit=8192 log_buf_len=8M lab.selinux={policy}",
        };
        string acts = CompiledProgram.Of("tests/Lab/Tests/SeLinux/acts.c");
        string churn = CompiledProgram.Of("tests/Lab/Tests/SeLinux/churn.c");
        string prove = CompiledProgram.Of("tests/Lab/Tests/SeLinux/prove.c");
        MicroGuests();
        _host = new LabGuestHost(
            options,
            $"""
            set -e
            mkdir -p /opt/sandbox /var/lib/sandbox
            mount -t tmpfs -o mode=755 none /opt/sandbox
            mount -t tmpfs -o mode=755 none /var/lib/sandbox
            mount -t tmpfs -o mode=1777 none /var/tmp
            cp -r {Product.Root}/artifacts/bin /opt/sandbox/bin
            mkdir -p /opt/sandbox/share/kernels/debian /var/lib/sandbox/images /var/lib/sandbox/shared
            cp -rL {Product.Share("rootfs.erofs")} /opt/sandbox/share/
            cp -rL {Product.Share("kernels/debian")}/* /opt/sandbox/share/kernels/debian/
            cp -rL {Product.Root}/artifacts/micro /opt/sandbox/share/kernels/
            for role in vmm device; do cp {acts} /opt/sandbox/acts-$role; done
            cp {churn} {prove} /opt/sandbox/
            for role in vmm device; do cp {Product.Root}/artifacts/bin/sandbox-probe /opt/sandbox/probe-$role; done
            cp {policy}/file_contexts /var/tmp/contexts
            setfiles /var/tmp/contexts /opt/sandbox /var/lib/sandbox /var/tmp
            chcon -t sbx_vmm_exec_t /opt/sandbox/acts-vmm /opt/sandbox/probe-vmm
            chcon -t sbx_device_exec_t /opt/sandbox/acts-device /opt/sandbox/probe-device
            chcon -t passt_exec_t /usr/bin/passt /usr/bin/passt.avx2
            ip tuntap add dev lan0 mode tap
            ip addr add 198.51.100.1/24 dev lan0
            ip link set lan0 up
            ip route add default via 198.51.100.254 dev lan0
            mkdir /var/tmp/www
            head -c 200000 /dev/urandom >/var/tmp/www/file
            (busybox httpd -f -p 198.51.100.1:8000 -h /var/tmp/www </dev/null >/dev/null 2>&1 &)
            [ $(cat /sys/fs/selinux/enforce) = 1 ]
            """);
    }

    /// <summary>
    /// Runs a bash script there. <c>$sandbox</c> is the exe, <c>$acts</c> and <c>$churn</c> the test programs, <c>$micro</c> the folder of the micro
    /// guests, <c>denials</c> prints what SELinux has
    /// refused since the script began.
    /// </summary>
    public Task<CommandResult> ScriptAsync(string script, TimeSpan? limit = null) => _host.RunAsync(
        [
            "bash", "-c",
            $$"""
            sandbox=/opt/sandbox/bin/sandbox acts=/opt/sandbox/acts-vmm churn=/opt/sandbox/churn micro=/opt/sandbox/share/kernels/micro
            # The kernel logs in order, but later: when a refusal made now is there, all before it are. A mark is several lines, of which some may
            # come when the next script has begun: that one's mark is another.
            denials() {
                local mark=s0:c0,c$((1 + RANDOM % 1023))
                $acts in system_u:system_r:sbx_rng_t:$mark /opt/sandbox/acts-device -- hostname >/dev/null
                for wait in $(seq 100); do dmesg | grep -q "acts-device.*sbx_rng_t:$mark .*tclass=capability" && break; sleep 0.1; done
                dmesg | grep -E 'avc: +denied|SELINUX_ERR' | grep -v 'acts-device.*sbx_rng_t:s0:c0,c' || true
            }
            dmesg -C
            {{script}}
            """,
        ],
        [],
        limit ?? DefaultLimit);

    public void Dispose() => _host.Dispose();

    /// <summary>Assembles what is missing of them.</summary>
    private static void MicroGuests()
    {
        using Process recipe = Process.Start(new ProcessStartInfo("bash", [Path.Combine(Product.Root, "kernels/micro.sh")]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = recipe.StandardError.ReadToEndAsync();
        _ = recipe.StandardOutput.ReadToEnd();
        recipe.WaitForExit();
        if (recipe.ExitCode != 0)
        {
            throw new InvalidOperationException($"kernels/micro.sh: {errors.Result}");
        }
    }
}
