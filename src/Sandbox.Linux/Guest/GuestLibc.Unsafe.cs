using System.Runtime.InteropServices;

namespace Sandbox.Linux.Guest;

/// <summary>The libc calls of the guest's PID 1 that neither Tmds.LibC nor Abi/Glibc has. Signatures as in the glibc headers of x86-64; errno as in Abi/Glibc.</summary>
internal static unsafe class GuestLibc
{
    // SAFETY: (all of this file) declarations only; each caller says why its pointers are good for the call.
    private const string Libc = "libc";

    [DllImport(Libc, SetLastError = true)]
    internal static extern int mount(byte* source, byte* target, byte* type, ulong flags, byte* data);

    [DllImport(Libc, SetLastError = true)]
    internal static extern int umount2(byte* target, int flags);

    [DllImport(Libc, SetLastError = true)]
    internal static extern int chdir(byte* path);

    [DllImport(Libc, SetLastError = true)]
    internal static extern int chroot(byte* path);

    [DllImport(Libc, SetLastError = true)]
    internal static extern int mkdir(byte* path, uint mode);

    [DllImport(Libc, SetLastError = true)]
    internal static extern int unlink(byte* path);

    [DllImport(Libc, SetLastError = true)]
    internal static extern int symlink(byte* target, byte* path);

    [DllImport(Libc, SetLastError = true)]
    internal static extern int access(byte* path, int mode);

    [DllImport(Libc, SetLastError = true)]
    internal static extern int sethostname(byte* name, nuint length);

    [DllImport(Libc, SetLastError = true)]
    internal static extern int clock_settime(int clock, Timespec* time);

    [DllImport(Libc, SetLastError = true)]
    internal static extern int reboot(int command);

    [DllImport(Libc)]
    internal static extern void sync();

    [DllImport(Libc, SetLastError = true)]
    internal static extern int kill(int pid, int signal);

    [DllImport(Libc, SetLastError = true)]
    internal static extern int ioctl(int fd, nuint request, void* argument);

    [DllImport(Libc, SetLastError = true)]
    internal static extern int pipe2(int* pair, int flags);

    [DllImport(Libc, SetLastError = true)]
    internal static extern int socket(int domain, int type, int protocol);

    [DllImport(Libc, SetLastError = true)]
    internal static extern int connect(int fd, void* address, uint length);

    [DllImport(Libc)]
    internal static extern nint signal(int number, nint handler);

    [DllImport(Libc)]
    internal static extern int posix_spawn_file_actions_addchdir_np(void* actions, byte* path);

    /// <summary>0, or the negated error number, of a call that gives -1 on failure.</summary>
    internal static int Result(int result) => result >= 0 ? result : -Tmds.Linux.LibC.errno;

    /// <summary>struct timespec.</summary>
    internal struct Timespec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
