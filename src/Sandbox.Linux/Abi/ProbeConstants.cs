namespace Sandbox.Linux.Abi;

/// <summary>Constants of the calls in <see cref="ProbeCalls"/>, by their C names.</summary>
internal static class ProbeConstants
{
    // fcntl.h, sys/stat.h
    internal const int O_RDONLY = 0;
    internal const int O_RDWR = 2;
    internal const int O_TMPFILE = 0x410000;
    internal const int S_IFCHR = 0x2000;
    internal const int F_SETOWN = 8;
    internal const int F_DUPFD = 0;

    // sys/mman.h
    internal const int PROT_READ = 1;
    internal const int PROT_WRITE = 2;
    internal const int PROT_EXEC = 4;
    internal const int MAP_SHARED = 1;
    internal const int MAP_PRIVATE = 2;
    internal const int MAP_ANONYMOUS = 0x20;
    internal const int MAP_NORESERVE = 0x4000;
    internal const int MCL_CURRENT = 1;

    // linux/mount.h
    internal const int MS_REMOUNT = 32;
    internal const int MS_BIND = 4096;
    internal const int OPEN_TREE_CLONE = 1;

    // sys/socket.h
    internal const int AF_UNIX = 1;
    internal const int AF_INET = 2;
    internal const int AF_INET6 = 10;
    internal const int AF_NETLINK = 16;
    internal const int AF_PACKET = 17;
    internal const int AF_ALG = 38;
    internal const int AF_VSOCK = 40;
    internal const int SOCK_STREAM = 1;
    internal const int SOCK_DGRAM = 2;
    internal const int SOCK_RAW = 3;
    internal const int SOCK_SEQPACKET = 5;
    internal const int SOL_SOCKET = 1;
    internal const int SO_PEERCRED = 17;

    // sys/ioctl.h, linux/fs.h, linux/kvm.h
    internal const int TIOCSCTTY = 0x540E;
    internal const int TIOCSTI = 0x5412;
    internal const int FIONREAD = 0x541B;
    internal const uint FS_IOC_GETFLAGS = 0x80086601;
    internal const int KVM_CREATE_VM = 0xAE01;
    internal const int KVM_CREATE_VCPU = 0xAE41;
    internal const uint KVM_CREATE_DEVICE = 0xC00CAEE0;
    internal const int KVM_CREATE_DEVICE_TEST = 1;
    internal const int KVM_DEV_TYPE_VFIO = 4;

    // sys/ptrace.h, linux/kcmp.h, sched.h, sys/personality.h
    internal const int PTRACE_SEIZE = 0x4206;
    internal const int KCMP_VM = 1;
    internal const int SCHED_FIFO = 1;
    internal const int READ_IMPLIES_EXEC = 0x0400000;
    internal const int SI_QUEUE = -1;

    // sys/shm.h
    internal const int IPC_PRIVATE = 0;
    internal const int IPC_CREAT = 0x200;
    internal const int IPC_RMID = 0;

    // linux/keyctl.h
    internal const int KEYCTL_JOIN_SESSION_KEYRING = 1;
    internal const int KEY_SPEC_PROCESS_KEYRING = -2;

    // linux/userfaultfd.h, linux/bpf.h, linux/perf_event.h
    internal const int UFFD_USER_MODE_ONLY = 1;
    internal const int BPF_MAP_CREATE = 0;
    internal const int BPF_MAP_TYPE_ARRAY = 2;
    internal const int PERF_TYPE_SOFTWARE = 1;
    internal const int PERF_ATTR_SIZE_VER0 = 64;

    // linux/capability.h
    internal const int CAP_SYS_ADMIN = 21;
}
