namespace Sandbox.Linux.Abi;

/// <summary>Constants of the system headers that Tmds.LibC lacks or has not as constants, by their C names; the ABI test compares each with its header.</summary>
internal static class Constants
{
    // fcntl.h
    internal const int AT_FDCWD = -100;
    internal const int AT_EMPTY_PATH = 0x1000;
    internal const int AT_REMOVEDIR = 0x200;
    internal const int O_CLOEXEC = 0x80000;
    internal const int O_DIRECT = 0x4000;

    // linux/if_tun.h
    internal const int TUNSETIFF = 0x400454CA;
    internal const int TUNSETOFFLOAD = 0x400454D0;
    internal const int TUNSETVNETHDRSZ = 0x400454D8;
    internal const int IFF_TAP = 0x0002;
    internal const int IFF_NO_PI = 0x1000;
    internal const int IFF_VNET_HDR = 0x4000;
    internal const int TUN_F_CSUM = 0x01;
    internal const int TUN_F_TSO4 = 0x02;
    internal const int TUN_F_TSO6 = 0x04;
    internal const int TUN_F_TSO_ECN = 0x08;

    // linux/sockios.h
    internal const int SIOCGIFMTU = 0x8921;

    // linux/openat2.h
    internal const int RESOLVE_NO_XDEV = 0x01;
    internal const int RESOLVE_NO_MAGICLINKS = 0x02;
    internal const int RESOLVE_NO_SYMLINKS = 0x04;
    internal const int RESOLVE_BENEATH = 0x08;

    // linux/close_range.h
    internal const int CLOSE_RANGE_CLOEXEC = 1 << 2;

    // sys/wait.h
    internal const int P_PIDFD = 3;
    internal const int WNOHANG = 1;
    internal const int WEXITED = 4;
    internal const int WNOWAIT = 0x01000000;
    internal const int CLD_EXITED = 1;

    // spawn.h
    internal const short POSIX_SPAWN_SETSIGDEF = 0x04;
    internal const short POSIX_SPAWN_SETSIGMASK = 0x08;

    // signal.h
    internal const int SIGKILL = 9;
    internal const int SIGCHLD = 17;
    internal const int SIG_BLOCK = 0;

    // linux/seccomp.h
    internal const int SECCOMP_SET_MODE_FILTER = 1;
    internal const int SECCOMP_FILTER_FLAG_TSYNC = 1;

    // linux/sched.h
    internal const int CLONE_PARENT = 0x00008000;

    // malloc.h
    internal const int M_ARENA_MAX = -8;
    internal const int M_TOP_PAD = -2;
    internal const int M_TRIM_THRESHOLD = -1;

    // linux/prctl.h
    internal const int PR_SET_PDEATHSIG = 1;
    internal const int PR_SET_DUMPABLE = 4;
    internal const int PR_SET_KEEPCAPS = 8;
    internal const int PR_SET_NAME = 15;
    internal const int PR_CAPBSET_DROP = 24;
    internal const int PR_SET_SECUREBITS = 28;
    internal const int PR_SET_NO_NEW_PRIVS = 38;
    internal const int PR_SET_THP_DISABLE = 41;
    internal const int PR_CAP_AMBIENT = 47;
    internal const int PR_CAP_AMBIENT_CLEAR_ALL = 4;

    // linux/capability.h
    internal const uint _LINUX_CAPABILITY_VERSION_3 = 0x20080522;

    // linux/mount.h
    internal const int MS_REC = 1 << 14;
    internal const int MS_PRIVATE = 1 << 18;
    internal const int MNT_DETACH = 2;
    internal const int FSOPEN_CLOEXEC = 1;
    internal const int FSMOUNT_CLOEXEC = 1;
    internal const int FSCONFIG_SET_STRING = 1;
    internal const int FSCONFIG_CMD_CREATE = 6;
    internal const int MOUNT_ATTR_RDONLY = 0x1;
    internal const int MOUNT_ATTR_NOSUID = 0x2;
    internal const int MOUNT_ATTR_NODEV = 0x4;
    internal const int MOUNT_ATTR_NOEXEC = 0x8;
    internal const int MOVE_MOUNT_F_EMPTY_PATH = 0x4;

    // linux/landlock.h
    internal const int LANDLOCK_CREATE_RULESET_VERSION = 1 << 0;
    internal const int LANDLOCK_RULE_PATH_BENEATH = 1;
    internal const ulong LANDLOCK_ACCESS_FS_EXECUTE = 1 << 0;
    internal const ulong LANDLOCK_ACCESS_FS_WRITE_FILE = 1 << 1;
    internal const ulong LANDLOCK_ACCESS_FS_READ_FILE = 1 << 2;
    internal const ulong LANDLOCK_ACCESS_FS_READ_DIR = 1 << 3;
    internal const ulong LANDLOCK_ACCESS_FS_REMOVE_DIR = 1 << 4;
    internal const ulong LANDLOCK_ACCESS_FS_REMOVE_FILE = 1 << 5;
    internal const ulong LANDLOCK_ACCESS_FS_MAKE_CHAR = 1 << 6;
    internal const ulong LANDLOCK_ACCESS_FS_MAKE_DIR = 1 << 7;
    internal const ulong LANDLOCK_ACCESS_FS_MAKE_REG = 1 << 8;
    internal const ulong LANDLOCK_ACCESS_FS_MAKE_SOCK = 1 << 9;
    internal const ulong LANDLOCK_ACCESS_FS_MAKE_FIFO = 1 << 10;
    internal const ulong LANDLOCK_ACCESS_FS_MAKE_BLOCK = 1 << 11;
    internal const ulong LANDLOCK_ACCESS_FS_MAKE_SYM = 1 << 12;
    internal const ulong LANDLOCK_ACCESS_FS_REFER = 1 << 13;
}

/// <summary>Constants of kernels younger than Debian 12's headers (6.1): compared where the header has them.</summary>
internal static class YoungConstants
{
    // linux/prctl.h, Linux 6.3
    internal const int PR_SET_MDWE = 65;
    internal const int PR_MDWE_REFUSE_EXEC_GAIN = 1;

    // linux/memfd.h, Linux 6.3
    internal const uint MFD_NOEXEC_SEAL = 0x8;

    // linux/landlock.h: Linux 6.2, 6.10, 6.7, 6.12 and 6.15
    internal const ulong LANDLOCK_ACCESS_FS_TRUNCATE = 1 << 14;
    internal const ulong LANDLOCK_ACCESS_FS_IOCTL_DEV = 1 << 15;
    internal const ulong LANDLOCK_ACCESS_NET_BIND_TCP = 1 << 0;
    internal const ulong LANDLOCK_ACCESS_NET_CONNECT_TCP = 1 << 1;
    internal const ulong LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET = 1 << 0;
    internal const ulong LANDLOCK_SCOPE_SIGNAL = 1 << 1;
    internal const int LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON = 1 << 1;
}
