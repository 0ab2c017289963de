using System.Runtime.InteropServices;

namespace Sandbox.Linux.Abi;

/// <summary>
/// The glibc functions that Tmds.LibC does not bind, by their C names. Blittable signatures only, bound at link time in our
/// exes. errno is read as for Tmds.LibC (<c>LibC.errno</c>), which is why SetLastError is on.
/// </summary>
internal static unsafe class Glibc
{
    // SAFETY: (all of this file) declarations only; each caller says why its pointers are good for the call.
    [DllImport("libc", EntryPoint = "syscall", SetLastError = true)]
    internal static extern nint SystemCall(nint number, nint argument0, nint argument1, nint argument2, nint argument3, nint argument4, nint argument5);

    [DllImport("libc", SetLastError = true)]
    internal static extern int waitid(int idType, uint id, void* information, int options);

    // Tmds.LibC binds it, but without SetLastError: an error would be told by whatever call failed before.
    [DllImport("libc", SetLastError = true)]
    internal static extern int poll(PollEntry* entries, nuint count, int timeoutMilliseconds);

    [DllImport("libc")]
    internal static extern int mallopt(int option, int value);

    [DllImport("libc")]
    internal static extern int posix_spawn(int* pid, byte* path, void* fileActions, void* attributes, byte** argv, byte** envp);

    [DllImport("libc")]
    internal static extern int posix_spawn_file_actions_init(void* fileActions);

    [DllImport("libc")]
    internal static extern int posix_spawn_file_actions_adddup2(void* fileActions, int fd, int newFd);

    [DllImport("libc")]
    internal static extern int posix_spawn_file_actions_addopen(void* fileActions, int fd, byte* path, int flags, uint mode);

    [DllImport("libc")]
    internal static extern int posix_spawn_file_actions_addclose(void* fileActions, int fd);

    [DllImport("libc")]
    internal static extern int posix_spawn_file_actions_addclosefrom_np(void* fileActions, int firstFd);

    [DllImport("libc")]
    internal static extern int posix_spawn_file_actions_destroy(void* fileActions);

    [DllImport("libc")]
    internal static extern int posix_spawnattr_init(void* attributes);

    [DllImport("libc")]
    internal static extern int posix_spawnattr_setflags(void* attributes, short flags);

    [DllImport("libc")]
    internal static extern int posix_spawnattr_setsigdefault(void* attributes, void* signals);

    [DllImport("libc")]
    internal static extern int posix_spawnattr_setsigmask(void* attributes, void* signals);

    [DllImport("libc")]
    internal static extern int posix_spawnattr_destroy(void* attributes);
}
