using System.Text;
using Tmds.Linux;
using static Sandbox.Linux.Abi.Constants;
using static Sandbox.Linux.Abi.Glibc;
using static Tmds.Linux.LibC;

namespace Sandbox.Linux;

/// <summary>
/// posix_spawn(3) with an exact table of fds. The fork is native code inside libc: no collection of managed memory can start
/// in the child, which would wait there for threads that do not exist.
/// </summary>
internal static unsafe class PosixSpawn
{
    // posix_spawn_file_actions_t is 80 bytes and posix_spawnattr_t 336 (glibc, x86-64; held by the ABI test).
    internal const int FileActionsBytes = 80;
    internal const int AttributesBytes = 336;

    internal static ChildProcess Start(SpawnSpec spec)
    {
        int highest = CheckTable(spec.Fds);
        List<FdHandle> copies = new(spec.Fds.Count + 1);
        try
        {
            // The sources first move above every number that the child will have: a later dup2 cannot overwrite one that
            // is still to come. The exe's copy comes first, so that it lies right above; it is close-on-exec, so that it
            // is there for the exec and gone after it.
            FdHandle executable = CopyAbove(spec.Executable, highest, copies);
            for (int index = 0; index < spec.Fds.Count; index++)
            {
                _ = CopyAbove(spec.Fds[index].Source, executable.Number, copies);
            }

            return Run(spec, highest, executable.Number, copies);
        }
        finally
        {
            foreach (FdHandle copy in copies)
            {
                copy.Dispose();
            }
        }
    }

    private static ChildProcess Run(SpawnSpec spec, int highest, int executable, List<FdHandle> copies)
    {
        byte* actions = stackalloc byte[FileActionsBytes];
        byte* attributes = stackalloc byte[AttributesBytes];
        StringVector argv = new(spec.Arguments);
        StringVector envp = new(spec.Environment);
        byte[] path = Encoding.ASCII.GetBytes($"/proc/self/fd/{executable}\0");
        int pid;
        int error;

        // SAFETY: both objects are as large as glibc's and are destroyed below; path, argv and envp are NUL-terminated and
        // do not move during the call.
        Check(posix_spawn_file_actions_init(actions), "posix_spawn_file_actions_init");
        Check(posix_spawnattr_init(attributes), "posix_spawnattr_init");
        try
        {
            SetFds(actions, spec.Fds, copies, highest, executable);
            SetSignals(attributes);
            fixed (byte* pathPointer = path)
            {
                error = posix_spawn(&pid, pathPointer, actions, attributes, argv.Pointer, envp.Pointer);
            }
        }
        finally
        {
            _ = posix_spawnattr_destroy(attributes);
            _ = posix_spawn_file_actions_destroy(actions);
            GC.KeepAlive(argv);
            GC.KeepAlive(envp);
        }

        Check(error, $"posix_spawn {(spec.Arguments.Count > 0 ? spec.Arguments[0] : "")}");
        return ChildProcess.Adopt(pid);
    }

    // SAFETY: actions is an initialised posix_spawn_file_actions_t; glibc copies what it is given.
    private static void SetFds(byte* actions, IReadOnlyList<InheritedFd> table, List<FdHandle> copies, int highest, int executable)
    {
        Span<bool> taken = stackalloc bool[SpawnSpec.MaxChildNumber + 1];
        for (int index = 0; index < table.Count; index++)
        {
            int number = table[index].ChildNumber;
            taken[number] = true;
            Check(posix_spawn_file_actions_adddup2(actions, copies[index + 1].Number, number), "posix_spawn_file_actions_adddup2");
        }

        // Everything that is not in the table: the holes in it, what lies between it and the exe, and all beyond.
        for (int number = 0; number < executable; number++)
        {
            if (number > highest || !taken[number])
            {
                Check(posix_spawn_file_actions_addclose(actions, number), "posix_spawn_file_actions_addclose");
            }
        }

        Check(posix_spawn_file_actions_addclosefrom_np(actions, executable + 1), "posix_spawn_file_actions_addclosefrom_np");
    }

    // SAFETY: attributes is an initialised posix_spawnattr_t; glibc copies the sets.
    private static void SetSignals(byte* attributes)
    {
        // A blocked or ignored signal is inherited over exec; a .NET process ignores SIGPIPE. The child starts from nothing.
        sigset_t signals;
        _ = sigfillset(&signals);
        Check(posix_spawnattr_setsigdefault(attributes, &signals), "posix_spawnattr_setsigdefault");
        _ = sigemptyset(&signals);
        Check(posix_spawnattr_setsigmask(attributes, &signals), "posix_spawnattr_setsigmask");
        Check(posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK), "posix_spawnattr_setflags");
    }

    private static FdHandle CopyAbove(FdHandle source, int number, List<FdHandle> copies)
    {
        int copy = fcntl(source.Number, F_DUPFD_CLOEXEC, number + 1);
        if (copy < 0)
        {
            throw new LinuxException("fcntl F_DUPFD_CLOEXEC", (Errno)errno);
        }

        FdHandle handle = new(copy);
        copies.Add(handle);
        return handle;
    }

    private static int CheckTable(IReadOnlyList<InheritedFd> table)
    {
        Span<bool> taken = stackalloc bool[SpawnSpec.MaxChildNumber + 1];
        int highest = -1;
        foreach (InheritedFd fd in table)
        {
            if (fd.ChildNumber is < 0 or > SpawnSpec.MaxChildNumber || taken[fd.ChildNumber])
            {
                throw new ArgumentException($"Child fd {fd.ChildNumber} is out of range or named twice.", nameof(table));
            }

            taken[fd.ChildNumber] = true;
            highest = Math.Max(highest, fd.ChildNumber);
        }

        return highest;
    }

    // These functions return the error number instead of setting errno.
    private static void Check(int error, string operation)
    {
        if (error != 0)
        {
            throw new LinuxException(operation, (Errno)error);
        }
    }
}
