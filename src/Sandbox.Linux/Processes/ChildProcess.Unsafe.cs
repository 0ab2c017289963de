using Sandbox.Linux.Abi;
using static Sandbox.Linux.Abi.Constants;
using static Sandbox.Linux.Abi.Glibc;
using static Sandbox.Linux.Abi.SystemCalls;
using static Tmds.Linux.LibC;

namespace Sandbox.Linux;

/// <summary>
/// A direct child, held by a pidfd: a signal can never reach another process that got the same number. Disposing it neither
/// ends nor reaps the child.
/// </summary>
public sealed unsafe class ChildProcess : IDisposable
{
    private readonly Lock _lock = new();
    private ExitStatus? _status;

    private ChildProcess(int pid, FdHandle pidFd)
    {
        Pid = pid;
        PidFd = pidFd;
    }

    /// <summary>The number, for messages; all else goes by the pidfd.</summary>
    public int Pid { get; }

    /// <summary>Becomes readable (poll, epoll) when the child has ended.</summary>
    public FdHandle PidFd { get; }

    /// <summary>
    /// Takes hold of a child that has not been waited for: one that the <see cref="Spawner"/> made, or one that such a child
    /// cloned for us with CLONE_PARENT and whose number it reported.
    /// </summary>
    /// <exception cref="LinuxException">No such process, or it is not a child of this process.</exception>
    public static ChildProcess Adopt(int pid)
    {
        nint fd = SystemCall(SYS_pidfd_open, pid, 0, 0, 0, 0, 0);
        if (fd < 0)
        {
            throw new LinuxException($"pidfd_open {pid}", (Errno)errno);
        }

        FdHandle pidFd = new((int)fd);
        siginfo_t ignored;
        // SAFETY: the kernel writes one siginfo_t. WNOWAIT: only the question whether it is ours.
        if (waitid(P_PIDFD, (uint)fd, &ignored, WEXITED | WNOHANG | WNOWAIT) != 0)
        {
            Errno error = (Errno)errno;
            pidFd.Dispose();
            throw new LinuxException($"waitid {pid}", error);
        }

        return new ChildProcess(pid, pidFd);
    }

    /// <summary>Sends a signal. 0, or the negated error number; -ESRCH: it has ended already.</summary>
    public int Kill(int signal)
    {
        lock (_lock)
        {
            return SystemCall(SYS_pidfd_send_signal, PidFd.Number, signal, 0, 0, 0, 0) == 0 ? 0 : -errno;
        }
    }

    /// <summary>True when the child has ended; it is reaped by the first call that says so.</summary>
    /// <exception cref="LinuxException">ECHILD: somebody else reaped it, or this process ignores SIGCHLD.</exception>
    public bool TryWait(out ExitStatus status)
    {
        lock (_lock)
        {
            if (_status is null)
            {
                siginfo_t information = default; // WNOHANG leaves si_pid as it was when nothing has ended
                // SAFETY: the kernel writes one siginfo_t.
                if (waitid(P_PIDFD, (uint)PidFd.Number, &information, WEXITED | WNOHANG) != 0)
                {
                    throw new LinuxException($"waitid {Pid}", (Errno)errno);
                }

                if (information.si_pid != 0)
                {
                    _status = information.si_code == Constants.CLD_EXITED
                        ? new ExitStatus(information.si_status & 0xff, 0)
                        : new ExitStatus(-1, information.si_status);
                }
            }

            status = _status ?? default;
            return _status is not null;
        }
    }

    /// <summary>Blocks the calling thread until the child has ended.</summary>
    /// <inheritdoc cref="TryWait" path="/exception"/>
    public ExitStatus Wait()
    {
        ExitStatus status;
        while (!TryWait(out status))
        {
            _ = LinuxException.Check(Poll.Wait(PidFd.Number, PollEvents.Readable, Poll.Forever, out _), $"poll pidfd of {Pid}");
        }

        return status;
    }

    public void Dispose()
    {
        lock (_lock)
        {
            PidFd.Dispose();
        }
    }
}
