using Sandbox.Control.Proof;
using Sandbox.Linux;
using Sandbox.Linux.PreRuntime;
using static Sandbox.Linux.Abi.Constants;
using static Sandbox.Linux.Abi.ProbeCalls;
using static Sandbox.Linux.Abi.SystemCalls;
using static Sandbox.Linux.PreRuntime.RawCall;

namespace Sandbox.Probe.Acts;

/// <summary>Processes, programs and namespaces of its own.</summary>
internal static class NewProcessActs
{
    private const int Bomb = 200; // more processes than any of ours may have
    private const int CloneArgumentBytes = 64; // struct clone_args in its first version (linux/sched.h)

    internal static nint Fork() => EndChild(Call(SYS_clone, SIGCHLD));

    internal static nint ForkByOldCall() => EndChild(Call(SYS_fork));

    /// <summary>struct clone_args: flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls.</summary>
    internal static nint CloneByNewestCall() => EndChild(Call(SYS_clone3, RawScratch.Put64([0, 0, 0, 0, SIGCHLD, 0, 0, 0]), CloneArgumentBytes));

    internal static nint ForkIntoUserNamespace() => EndChild(Call(SYS_clone, Namespaces.User | SIGCHLD));

    internal static nint Unshare(int namespaces) => Call(SYS_unshare, namespaces);

    internal static nint JoinNamespace() => FdActs.OnEvery(SYS_setns);

    /// <summary>A shell would end with the code that says so.</summary>
    internal static nint ExecuteShell()
    {
        nint name = RawScratch.Put("/bin/sh\0"u8);
        nint arguments = RawScratch.Put64([(ulong)name, (ulong)RawScratch.Put("-c\0"u8), (ulong)RawScratch.Put("exit 200\0"u8), 0]);
        return Call(SYS_execve, name, arguments, RawScratch.Put64([0]));
    }

    /// <summary>A program that was never a file: written to memory, executed by fd.</summary>
    internal static nint ExecuteMemoryFile()
    {
        nint file = Call(SYS_memfd_create, RawScratch.Put("program\0"u8), 0);
        if (file < 0)
        {
            return file;
        }

        _ = RawFile.Write((int)file, TinyProgram);
        nint empty = RawScratch.Put("\0"u8);
        return Call(SYS_execveat, file, empty, RawScratch.Put64([(ulong)empty, 0]), RawScratch.Put64([0]), AT_EMPTY_PATH);
    }

    /// <summary>Children that wait, until there are far too many. They are ended before the probe is: one that had not yet run would outlive it.</summary>
    internal static nint ForkBomb()
    {
        Span<int> children = stackalloc int[Bomb];
        int count = 0;
        nint child = 0;
        while (count < Bomb && child >= 0)
        {
            child = Call(SYS_clone, SIGCHLD);
            if (child == 0)
            {
                _ = RawProcess.DieWithParent();
                _ = Call(SYS_pause);
                RawProcess.Exit(0);
            }

            if (child > 0)
            {
                children[count++] = (int)child;
            }
        }

        foreach (int started in children[..count])
        {
            _ = Call(SYS_kill, started, SIGKILL);
        }

        return child < 0 ? child : 0;
    }

    private static nint EndChild(nint child)
    {
        if (child == 0)
        {
            RawProcess.Exit(0);
        }

        return child;
    }

    // elf(5): a header, one loaded segment at 0x10000 that begins at the file's start, and at 0x78 the code: exit_group(200).
    private static ReadOnlySpan<byte> TinyProgram =>
    [
        0x7F, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        2, 0, 62, 0, 1, 0, 0, 0, 0x78, 0, 1, 0, 0, 0, 0, 0,
        0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0x40, 0, 0x38, 0, 1, 0, 0, 0, 0, 0, 0, 0,
        1, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0,
        0x84, 0, 0, 0, 0, 0, 0, 0, 0x84, 0, 0, 0, 0, 0, 0, 0,
        0, 0x10, 0, 0, 0, 0, 0, 0,
        0xBF, ProbeExit.Done, 0, 0, 0, 0xB8, 231, 0, 0, 0, 0x0F, 0x05,
    ];
}
