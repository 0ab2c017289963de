namespace Sandbox.Linux.Abi;

/// <summary>System call numbers of x86-64 (asm/unistd_64.h).</summary>
internal static class SystemCalls
{
    internal const int SYS_read = 0;
    internal const int SYS_write = 1;
    internal const int SYS_close = 3;
    internal const int SYS_poll = 7;
    internal const int SYS_pread64 = 17;
    internal const int SYS_socket = 41;
    internal const int SYS_bind = 49;
    internal const int SYS_clone = 56;
    internal const int SYS_fsync = 74;
    internal const int SYS_chdir = 80;
    internal const int SYS_fchdir = 81;
    internal const int SYS_rename = 82;
    internal const int SYS_mkdir = 83;
    internal const int SYS_rmdir = 84;
    internal const int SYS_unlink = 87;
    internal const int SYS_readlink = 89;
    internal const int SYS_umask = 95;
    internal const int SYS_geteuid = 107;
    internal const int SYS_getegid = 108;
    internal const int SYS_getppid = 110;
    internal const int SYS_setsid = 112;
    internal const int SYS_setgroups = 116;
    internal const int SYS_setresuid = 117;
    internal const int SYS_setresgid = 119;
    internal const int SYS_capset = 126;
    internal const int SYS_fstatfs = 138;
    internal const int SYS_pivot_root = 155;
    internal const int SYS_prctl = 157;
    internal const int SYS_mount = 165;
    internal const int SYS_umount2 = 166;
    internal const int SYS_fsetxattr = 190;
    internal const int SYS_fgetxattr = 193;
    internal const int SYS_getdents64 = 217;
    internal const int SYS_exit_group = 231;
    internal const int SYS_unshare = 272;
    internal const int SYS_prlimit64 = 302;
    internal const int SYS_getrandom = 318;
    internal const int SYS_execveat = 322;
    internal const int SYS_pidfd_send_signal = 424;
    internal const int SYS_move_mount = 429;
    internal const int SYS_fsopen = 430;
    internal const int SYS_fsconfig = 431;
    internal const int SYS_fsmount = 432;
    internal const int SYS_pidfd_open = 434;
    internal const int SYS_close_range = 436;
    internal const int SYS_openat2 = 437;
    internal const int SYS_landlock_create_ruleset = 444;
    internal const int SYS_landlock_add_rule = 445;
    internal const int SYS_landlock_restrict_self = 446;
}
