using System.Runtime.InteropServices;
using Sandbox.Linux.Abi;
using static Sandbox.Linux.Abi.Constants;

namespace Sandbox.Linux.Guest;

/// <summary>Starts a program for a guest's user: own session, three standard streams, nothing else of ours. posix_spawn(3), so no managed code runs between fork and exec.</summary>
public static unsafe class CommandSpawner
{
    // glibc: sizeof(posix_spawn_file_actions_t) = 80, sizeof(posix_spawnattr_t) = 336, sizeof(sigset_t) = 128.
    private const int ActionsBytes = 128;
    private const int AttributesBytes = 512;
    private const int SignalSetBytes = 128;
    private const int ReadWrite = 2; // O_RDWR
    private const short SetSession = 0x80; // POSIX_SPAWN_SETSID

    /// <summary>Starts <paramref name="path"/> (no PATH lookup; relative to <paramref name="workingDirectory"/>). Its pid, or the negated error number of whatever failed up to and including the exec.</summary>
    public static int Spawn(string path, IReadOnlyList<string> arguments, IReadOnlyList<string> environment, string workingDirectory, in CommandStreams streams)
    {
        byte* actions = stackalloc byte[ActionsBytes];
        byte* attributes = stackalloc byte[AttributesBytes];
        byte* signals = stackalloc byte[SignalSetBytes];
        byte** argv = Vector(arguments);
        byte** envp = Vector(environment);
        int pid = 0;
        // SAFETY: actions and attributes are larger than glibc's types and initialised by glibc before use; argv and envp are
        // NULL-terminated vectors of NUL-terminated strings that live until the finally block; glibc copies the directory.
        fixed (byte* program = GuestFiles.Terminated(path), directory = GuestFiles.Terminated(workingDirectory), terminal = GuestFiles.Terminated(streams.Terminal ?? string.Empty))
        {
            _ = Glibc.posix_spawn_file_actions_init(actions);
            _ = Glibc.posix_spawnattr_init(attributes);
            try
            {
                int failed = First(
                    // The leader of a new session that opens a terminal controls it (tty_ioctl(4)): setsid comes before these actions.
                    streams.Terminal is null
                        ? Glibc.posix_spawn_file_actions_adddup2(actions, streams.Input, 0)
                        : Glibc.posix_spawn_file_actions_addopen(actions, 0, terminal, ReadWrite, 0),
                    Glibc.posix_spawn_file_actions_adddup2(actions, streams.Terminal is null ? streams.Output : 0, 1),
                    Glibc.posix_spawn_file_actions_adddup2(actions, streams.Terminal is null ? streams.Error : 0, 2),
                    Glibc.posix_spawn_file_actions_addclosefrom_np(actions, 3),
                    GuestLibc.posix_spawn_file_actions_addchdir_np(actions, directory));
                // The runtime ignores or handles some signals; the command starts with every default and none blocked.
                new Span<byte>(signals, SignalSetBytes).Clear();
                failed = First(failed, Glibc.posix_spawnattr_setsigmask(attributes, signals));
                new Span<byte>(signals, SignalSetBytes).Fill(0xFF);
                failed = First(failed, Glibc.posix_spawnattr_setsigdefault(attributes, signals));
                failed = First(failed, Glibc.posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | SetSession));
                failed = failed != 0 ? failed : Glibc.posix_spawn(&pid, program, actions, attributes, argv, envp);
                return failed != 0 ? -failed : pid;
            }
            finally
            {
                _ = Glibc.posix_spawn_file_actions_destroy(actions);
                _ = Glibc.posix_spawnattr_destroy(attributes);
                Free(argv, arguments.Count);
                Free(envp, environment.Count);
            }
        }
    }

    private static int First(params ReadOnlySpan<int> results)
    {
        foreach (int result in results)
        {
            if (result != 0)
            {
                return result;
            }
        }

        return 0;
    }

    private static byte** Vector(IReadOnlyList<string> items)
    {
        byte** vector = (byte**)NativeMemory.AllocZeroed((nuint)items.Count + 1, (nuint)sizeof(byte*));
        for (int index = 0; index < items.Count; index++)
        {
            byte[] bytes = GuestFiles.Terminated(items[index]);
            vector[index] = (byte*)NativeMemory.Alloc((nuint)bytes.Length); // SAFETY: index < Count, the vector has Count + 1 places.
            bytes.CopyTo(new Span<byte>(vector[index], bytes.Length));
        }

        return vector;
    }

    private static void Free(byte** vector, int count)
    {
        for (int index = 0; index < count; index++)
        {
            NativeMemory.Free(vector[index]); // SAFETY: allocated by Vector, once.
        }

        NativeMemory.Free(vector);
    }
}
