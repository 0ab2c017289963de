using System.Runtime.InteropServices;

namespace Sandbox.Linux.Guest;

/// <summary>The libc calls of the guest's PID 1 that Tmds.LibC does not have. Signatures as in the glibc headers of x86-64.</summary>
internal static unsafe class GuestLibc
{
    private const string Libc = "libc";

    [DllImport(Libc)]
    internal static extern int* __errno_location();

    [DllImport(Libc)]
    internal static extern int mount(byte* source, byte* target, byte* type, ulong flags, byte* data);

    [DllImport(Libc)]
    internal static extern int umount2(byte* target, int flags);

    [DllImport(Libc)]
    internal static extern int chdir(byte* path);

    [DllImport(Libc)]
    internal static extern int chroot(byte* path);

    [DllImport(Libc)]
    internal static extern int mkdir(byte* path, uint mode);

    [DllImport(Libc)]
    internal static extern int unlink(byte* path);

    [DllImport(Libc)]
    internal static extern int symlink(byte* target, byte* path);

    [DllImport(Libc)]
    internal static extern int access(byte* path, int mode);

    [DllImport(Libc)]
    internal static extern int sethostname(byte* name, nuint length);

    [DllImport(Libc)]
    internal static extern int clock_settime(int clock, Timespec* time);

    [DllImport(Libc)]
    internal static extern int reboot(int command);

    [DllImport(Libc)]
    internal static extern void sync();

    [DllImport(Libc)]
    internal static extern int kill(int pid, int signal);

    [DllImport(Libc)]
    internal static extern int waitid(int idType, uint id, Siginfo* info, int options);

    [DllImport(Libc)]
    internal static extern int ioctl(int fd, nuint request, void* argument);

    [DllImport(Libc)]
    internal static extern nint syscall(nint number, nint first, nint second, nint third);

    [DllImport(Libc)]
    internal static extern int pipe2(int* pair, int flags);

    [DllImport(Libc)]
    internal static extern int socket(int domain, int type, int protocol);

    [DllImport(Libc)]
    internal static extern int connect(int fd, void* address, uint length);

    [DllImport(Libc)]
    internal static extern nint signal(int number, nint handler);

    [DllImport(Libc)]
    internal static extern int posix_spawn(int* pid, byte* path, void* actions, void* attributes, byte** argv, byte** envp);

    [DllImport(Libc)]
    internal static extern int posix_spawn_file_actions_init(void* actions);

    [DllImport(Libc)]
    internal static extern int posix_spawn_file_actions_destroy(void* actions);

    [DllImport(Libc)]
    internal static extern int posix_spawn_file_actions_adddup2(void* actions, int fd, int newFd);

    [DllImport(Libc)]
    internal static extern int posix_spawn_file_actions_addchdir_np(void* actions, byte* path);

    [DllImport(Libc)]
    internal static extern int posix_spawn_file_actions_addclosefrom_np(void* actions, int from);

    [DllImport(Libc)]
    internal static extern int posix_spawnattr_init(void* attributes);

    [DllImport(Libc)]
    internal static extern int posix_spawnattr_destroy(void* attributes);

    [DllImport(Libc)]
    internal static extern int posix_spawnattr_setflags(void* attributes, short flags);

    [DllImport(Libc)]
    internal static extern int posix_spawnattr_setsigdefault(void* attributes, void* set);

    [DllImport(Libc)]
    internal static extern int posix_spawnattr_setsigmask(void* attributes, void* set);

    /// <summary>0, or the negated error number, of a call that gives -1 on failure.</summary>
    internal static int Result(int result) => result >= 0 ? result : -*__errno_location(); // SAFETY: glibc's per-thread errno always exists.

    /// <summary>struct timespec.</summary>
    internal struct Timespec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    /// <summary>siginfo_t as waitid(2) fills it: 128 bytes.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    internal struct Siginfo
    {
        [FieldOffset(0)]
        public int Signal;
        [FieldOffset(8)]
        public int Code;
        [FieldOffset(12)]
        public int Pid;
        [FieldOffset(20)]
        public int Status;
    }
}
