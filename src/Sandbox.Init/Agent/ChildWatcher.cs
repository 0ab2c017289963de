using Sandbox.Linux;
using Sandbox.Linux.Guest;

namespace Sandbox.Init.Agent;

/// <summary>
/// Tells the loop when some child, own or inherited, can be reaped. SIGCHLD would not do: the runtime has threads that do
/// not block it, and its default is to be dropped. A thread of its own waits without reaping; the loop alone reaps, so a pid
/// cannot be given to another process between its death and the loop's hearing of it.
/// </summary>
internal sealed class ChildWatcher : IDisposable
{
    private readonly FdHandle _wake = EventFd.Create();

    public ChildWatcher()
    {
        LinuxException.Check(FdIo.SetNonBlocking(_wake.Number, false), "fcntl");
        Thread thread = new(Run) { IsBackground = true, Name = "children" };
        thread.Start();
    }

    /// <summary>Readable when the loop should reap.</summary>
    public FdHandle Reapable { get; } = EventFd.Create();

    /// <summary>There is a child to wait for: one was started, or the loop has reaped and more are left.</summary>
    public void Wake() => LinuxException.Check(EventFd.Signal(_wake.Number), "eventfd write");

    public void Dispose()
    {
        Reapable.Dispose();
        _wake.Dispose();
    }

    private void Run()
    {
        Span<byte> count = stackalloc byte[sizeof(ulong)];
        while (FdIo.Read(_wake.Number, count) == count.Length)
        {
            // -ECHILD: woken for a child that is reaped already.
            if (ChildProcesses.AwaitAny() == 0 && EventFd.Signal(Reapable.Number) != 0)
            {
                return;
            }
        }
    }
}
