using static Sandbox.Linux.Abi.Constants;
using static Sandbox.Linux.Abi.SystemCalls;
using static Sandbox.Linux.PreRuntime.RawCall;

namespace Sandbox.Linux.PreRuntime;

/// <summary>Processes, namespaces, limits and exec before the runtime exists. Every method returns the negated error number when it fails.</summary>
public static unsafe class RawProcess
{
    /// <summary>argv of an exec has at most this many strings.</summary>
    public const int MaxArguments = 16;

    /// <summary>unshare(2).</summary>
    public static nint Unshare(int namespaces) => Call(SYS_unshare, namespaces);

    /// <summary>
    /// clone(2) with CLONE_PARENT: the new process is a child of this one's parent. 0 in the new process, its number in this
    /// one. The kernel refuses it only to the first process of a PID namespace.
    /// </summary>
    public static nint CloneAsSibling() => Call(SYS_clone, CLONE_PARENT | SIGCHLD);

    /// <summary>clone(2) as fork(2) makes it: 0 in the child, its number in this process.</summary>
    public static nint CloneAsChild() => Call(SYS_clone, SIGCHLD);

    /// <summary>wait4(2): reaps this child; how it ended, as the kernel says it (0: exit code 0; the code from bit 8 on, a signal below).</summary>
    public static nint WaitFor(nint child)
    {
        int status = 0;
        // SAFETY: the kernel writes one int into the local.
        nint result = Call(SYS_wait4, child, (nint)(&status), 0, 0);
        return result < 0 ? result : status;
    }

    /// <summary>SIGKILL when the thread that made this process ends. A change of user or group clears it.</summary>
    public static nint DieWithParent() => Call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);

    /// <summary>Memory comes in pages of 4 KiB, never in huge ones (PR_SET_THP_DISABLE); an exec keeps that.</summary>
    public static nint UseSmallPages() => Call(SYS_prctl, PR_SET_THP_DISABLE, 1, 0, 0);

    /// <summary>No signal arrives any more but SIGKILL and SIGSTOP.</summary>
    public static nint BlockSignals()
    {
        ulong all = ulong.MaxValue;
        // SAFETY: one whole kernel sigset_t of 64 signals; the kernel only reads it.
        return Call(SYS_rt_sigprocmask, SIG_BLOCK, (nint)(&all), 0, sizeof(ulong));
    }

    /// <summary>nanosleep(2), of less than a second.</summary>
    public static void Sleep(long nanoseconds)
    {
        long* time = stackalloc long[2]; // struct timespec: seconds, nanoseconds
        time[0] = 0;
        time[1] = nanoseconds;
        // SAFETY: one whole struct timespec; the kernel only reads it.
        _ = Call(SYS_nanosleep, (nint)time, 0);
    }

    public static nint StartSession() => Call(SYS_setsid);

    public static nint SetUmask(uint mask) => Call(SYS_umask, (nint)mask);

    /// <summary>Soft and hard limit of a resource (setrlimit(2)).</summary>
    public static nint SetLimit(int resource, ulong limit)
    {
        ulong* limits = stackalloc ulong[2];
        limits[0] = limits[1] = limit;
        // SAFETY: one whole struct rlimit; the kernel only reads it.
        return Call(SYS_prlimit64, 0, resource, (nint)limits, 0);
    }

    /// <summary>
    /// execveat(2) of an opened file with an empty environment. Returns only when it fails.
    /// </summary>
    /// <param name="executable">The opened exe.</param>
    /// <param name="arguments">argv: C strings one after the other, each with its \0.</param>
    public static nint Execute(int executable, ReadOnlySpan<byte> arguments)
    {
        nint* argv = stackalloc nint[MaxArguments + 1];
        nint* envp = stackalloc nint[1];
        envp[0] = 0;
        int count = 0;
        // SAFETY: arguments ends in \0 (checked), so every pointer in argv is a C string inside it; both vectors end in NULL.
        fixed (byte* text = arguments, empty = "\0"u8)
        {
            if (!IsCString(arguments))
            {
                return -(nint)Errno.EINVAL;
            }

            bool atStart = true;
            for (int index = 0; index < arguments.Length; index++)
            {
                if (atStart)
                {
                    if (count == MaxArguments)
                    {
                        return -(nint)Errno.E2BIG;
                    }

                    argv[count++] = (nint)(text + index);
                }

                atStart = text[index] == 0;
            }

            argv[count] = 0;
            return Call(SYS_execveat, executable, (nint)empty, (nint)argv, (nint)envp, AT_EMPTY_PATH);
        }
    }

    /// <summary>exit_group(2). Does not return: what follows a failed step must not be reached, whatever stands between us and the kernel.</summary>
    public static void Exit(int code)
    {
        while (true)
        {
            _ = Call(SYS_exit_group, code);
        }
    }
}
