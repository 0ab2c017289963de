using Sandbox.Linux.Abi;
using static Sandbox.Linux.Abi.Constants;

namespace Sandbox.Linux.Guest;

/// <summary>How a child ended: exactly one of the two counts.</summary>
/// <param name="Pid">Its process id; free for others once it was reaped.</param>
/// <param name="ExitCode">0..255 when <paramref name="Signal"/> is 0.</param>
/// <param name="Signal">The signal that killed it, or 0.</param>
public readonly record struct ChildExit(int Pid, int ExitCode, int Signal);

/// <summary>Children of this process, all of them: those it started and, as PID 1, the orphans it inherits (waitid(2)).</summary>
public static unsafe class ChildProcesses
{
    private const int AllChildren = 0; // P_ALL

    /// <summary>Blocks until some child can be reaped, without reaping it. 0, or -ECHILD when there is no child at all.</summary>
    public static int AwaitAny()
    {
        while (true)
        {
            siginfo_t info = default;
            int result = GuestLibc.Result(Glibc.waitid(AllChildren, 0, &info, WEXITED | WNOWAIT)); // SAFETY: the kernel fills one siginfo_t.
            if (result != -(int)Errno.EINTR)
            {
                return result;
            }
        }
    }

    /// <summary>Reaps one child: 1 with its end, 0 when none has ended yet, -ECHILD when there is no child at all.</summary>
    public static int TryReap(out ChildExit exit)
    {
        siginfo_t info = default;
        int result = GuestLibc.Result(Glibc.waitid(AllChildren, 0, &info, WEXITED | WNOHANG)); // SAFETY: as in AwaitAny.
        bool reaped = result == 0 && info.si_pid != 0;
        exit = !reaped ? default
            : info.si_code == CLD_EXITED ? new ChildExit(info.si_pid, info.si_status & 0xFF, 0)
            : new ChildExit(info.si_pid, 0, info.si_status & 0x7F);
        return reaped ? 1 : result;
    }

    /// <summary>Signals the process group that a session's first process leads. 0, or the negated error number.</summary>
    public static int SignalGroup(int leaderPid, int signal) =>
        leaderPid > 1 ? GuestLibc.Result(GuestLibc.kill(-leaderPid, signal)) : -(int)Errno.EINVAL;

    /// <summary>Kills every process but this one (kill(2), pid -1). Only for PID 1 of a machine that ends.</summary>
    public static int KillAllOthers()
    {
        const int Kill = 9;
        return Environment.ProcessId == 1 ? GuestLibc.Result(GuestLibc.kill(-1, Kill)) : -(int)Errno.EPERM;
    }
}
