namespace Sandbox.Cli;

/// <summary>The help texts.</summary>
internal static class Help
{
    public const string All =
        """
        sandbox runs commands in microVMs: each has a Linux kernel of its own on KVM.

          sandbox run [OPTIONS] [--] COMMAND [ARG...]   boots a microVM, runs a command in it, ends with its exit code
          sandbox doctor                                shows what this host can do, and what to do about the rest
          sandbox selinux install|remove|status|restore the SELinux policy of this host and the labels of images
          sandbox version

        `sandbox run --help` lists its options.

        """;

    public const string Run =
        """
        sandbox run [OPTIONS] [--] COMMAND [ARG...]

          --rootfs PATH        root file system: a directory, or an ext4 or erofs image; never written (default: a built-in busybox)
          --kernel PATH        bzImage or ELF vmlinux (default: the one that `make` prepared)
          --kernel-args TEXT   more arguments for the kernel's command line
          --memory SIZE        guest memory, 64M to 1T (default: 256M)
          --cpus N             virtual processors, 1 to 64 (default: 1)
          --timeout DURATION   ends the microVM after this time: 500ms, 30s, 5m, 1h,
                               with exit code 124, or 125 when the guest had not come up by then (default: none, but 60s for that)
          -it, --tty           the command gets a terminal, and this one's keys and size; needs a terminal as standard input and output
          --env KEY=VALUE      a variable of the command; repeatable
          --workdir DIR        where the command starts (default: /)
          --hostname NAME      the guest's host name (default: sandbox)
          --disk PATH[:ro][:direct]
                               a further disk, a raw file or block device, past the host's page cache with :direct; repeatable;
                               the guest's /dev/vdb, /dev/vdc, ...
          --disk-rate SIZE[,N] the most bytes a second of each disk, the root's too, read and written together, and the most requests; 0 for no
                               bound (default: no bound)
          --net user           a network of its own: the guest reaches what the host reaches, but for the host's loopback; IPv4 (needs passt)
          --net tap=NAME       a tap interface that you have made; --net none is the default
                               both with ,queues=N: pairs of queues, 1 to 7 (default: 1); with one a processor, none waits for another to send
          -p, --publish HOST:GUEST
                               with --net user: a TCP port of the host's loopback that leads into the guest; ADDRESS:HOST:GUEST listens
                               elsewhere; repeatable
          --ip ADDRESS/PREFIX  with --net tap: the guest's IPv4 address; --gateway ADDRESS its router
          --dns ADDRESS        a name server for the guest; repeatable (default with --net user: the host's)
          --net-rate SIZE      the most bytes a second in each direction (default: no bound)
          --balloon            memory that the guest frees returns to the host; costs a process
          --selinux MODE       labels for its processes: auto, required, off (default: auto, where the host's policy knows Sandbox)
          --selinux-level L    the level to take instead of a free one, for example s0:c12,c800
          --device vhost-user=PATH[,type=blk|rng|fs,tag=NAME]
                               a device that another program serves on a Unix socket; it gets the guest's memory; repeatable
          --vsock PORT=PATH    a port of the host's (CID 2) for the guest: its connections there are ones to the program that listens on the
                               Unix socket PATH; repeatable
          --vsock guest:PORT=PATH
                               the other way round: the program that listens on PATH gets one connection to the guest's PORT, once somebody
                               listens there; repeatable
          --memory-limit SIZE, --pids-limit N, --cpu-limit PERCENT, --io-limit SIZE
                               what the microVM's processes together may use of the host: memory with the guest's, threads, processor
                               time (150%: one and a half), bytes read and written per second of each disk's device. Given: held, or nothing starts. Default: memory,
                               threads and processors by what the guest has, where this user may make control groups
          --cgroup-parent PATH the control group to make the microVM's in, as /proc/self/cgroup names it (default: this process's)
          --timing             prints the phases of the start in milliseconds to standard error
          --verbose            copies the guest's console to standard error

        Exit code: the command's; 128 + n when signal n ended it; 124 timeout; 125 sandbox itself failed; 126 the command
        cannot be executed; 127 it was not found.
        SIGINT, SIGQUIT, SIGTERM and SIGHUP go to the command; a second one, or one before it runs, ends the microVM at once. SIGUSR1: the
        guest is told of disks whose files have another size now.

        """;

    public const string SeLinux =
        """
        sandbox selinux install   adds Sandbox's module to the host's policy and labels the installed files (root)
        sandbox selinux remove    takes it out again (root)
        sandbox selinux status    whether the policy knows Sandbox, pairs in use, images that have a sandbox's label
        sandbox selinux restore   puts back the labels of images whose sandbox was killed; the next start does it too

        """;

    public const string Doctor =
        """
        sandbox doctor [--filters]

        A line for each thing that a host has or lacks: ok, missing (nothing runs without it) or absent, what was found, the cure.
          --filters   instead: the system calls that each seccomp filter in the built exes grants

        Exit code: 0 ready; 3 only hardware virtualization is missing; 1 something else is missing.

        sandbox doctor --prove [--json]

        Starts sandboxes in which a probe takes the place of one process after the other, in the same jail, under the same filter, and
        attempts more than a hundred forbidden acts; each line says how one was refused. Takes some seconds; no guest runs.
        Exit code: 0 every act was refused; 1 one was not.

        """;
}
