using System.Diagnostics;
using System.Text;

namespace Sandbox.Abi.Tests;

/// <summary>One statement of ours about the system, as a C constant expression.</summary>
/// <param name="Expression">What must be true.</param>
/// <param name="Source">Which of our declarations says so.</param>
/// <param name="Macro">The macro without which the headers are too old to be asked, or null.</param>
internal sealed record AbiClaim(string Expression, string Source, string? Macro = null);

/// <summary>Judges claims with gcc and the system's headers. Nothing is run.</summary>
internal static class CCompiler
{
    // glibc's headers where both have a name: linux/mount.h and sys/mount.h exclude each other.
    private static readonly string[] Headers =
    [
        "errno.h", "fcntl.h", "malloc.h", "poll.h", "sched.h", "signal.h", "spawn.h", "stddef.h", "termios.h", "time.h", "unistd.h", "net/if.h", "net/route.h",
        "asm/bootparam.h", "sys/epoll.h", "sys/eventfd.h", "sys/ioctl.h", "sys/mman.h", "sys/mount.h", "sys/prctl.h", "sys/random.h", "sys/reboot.h",
        "sys/resource.h", "sys/signalfd.h", "sys/socket.h", "sys/stat.h", "sys/syscall.h", "sys/timerfd.h", "sys/uio.h", "sys/vfs.h", "sys/wait.h",
        "linux/capability.h", "linux/close_range.h", "linux/audit.h", "linux/elf.h", "linux/falloc.h", "linux/filter.h", "linux/fs.h", "linux/futex.h", "linux/if_tun.h", "linux/bpf.h", "linux/kcmp.h", "linux/keyctl.h", "linux/kvm.h", "linux/perf_event.h", "linux/userfaultfd.h", "sys/personality.h", "sys/ptrace.h", "sys/shm.h", "linux/landlock.h", "linux/magic.h", "linux/openat2.h",
        "linux/random.h", "linux/seccomp.h", "linux/vhost.h", "linux/vhost_types.h", "linux/virtio_blk.h", "linux/virtio_config.h", "linux/virtio_ids.h",
        "linux/virtio_mmio.h", "linux/virtio_net.h", "linux/virtio_ring.h", "linux/virtio_vsock.h", "linux/vm_sockets.h",
    ];

    /// <summary>What gcc says about the claims that do not hold; empty when all do.</summary>
    internal static string Judge(IEnumerable<AbiClaim> claims)
    {
        StringBuilder text = new("#define _GNU_SOURCE\n");
        foreach (string header in Headers)
        {
            text.Append(FormattableString.Invariant($"#include <{header}>\n"));
        }

        foreach (AbiClaim claim in claims)
        {
            string line = $"_Static_assert({claim.Expression}, \"{claim.Source}\");\n";
            text.Append(claim.Macro is null ? line : $"#ifdef {claim.Macro}\n{line}#endif\n");
        }

        ProcessStartInfo start = new("gcc", ["-fsyntax-only", "-fmax-errors=0", "-std=gnu17", "-x", "c", "-"]) { RedirectStandardInput = true, RedirectStandardError = true };
        using Process compiler = Process.Start(start)!;
        Task<string> errors = compiler.StandardError.ReadToEndAsync();
        compiler.StandardInput.Write(text);
        compiler.StandardInput.Close();
        compiler.WaitForExit();
        return compiler.ExitCode == 0 ? "" : string.Join('\n', errors.Result.Split('\n').Where(line => line.Contains("error:", StringComparison.Ordinal)));
    }
}
