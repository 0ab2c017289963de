using Sandbox.Control.Launch;
using Sandbox.Linux;

namespace Sandbox.Runtime;

/// <summary>
/// One thread that drains what the processes of a microVM say (control sockets, standard errors, the guest's console), waits for
/// their ends and reaps them. It ends when every process has. The first end ends them all: a microVM lives whole or not at all.
/// </summary>
internal sealed class ProcessWatch : IDisposable
{
    private const int ConsoleTailBytes = 64 * 1024;
    private const int BufferBytes = 16 * 1024;

    /// <summary>Once one process has ended, the others get this long to say why they end too, before they are killed.</summary>
    private const int LastWordsMilliseconds = 200;

    private const ulong WakeTag = ulong.MaxValue;
    private const ulong ConsoleTag = ulong.MaxValue - 1;
    private const int TagsPerProcess = 3; // in the order of the enum below
    private enum Source
    {
        Exit,
        Control,
        Errors,
    }

    private readonly List<WatchedProcess> _processes;
    private readonly FdHandle _console;
    private readonly Action<ReadOnlyMemory<byte>>? _consoleReceived;
    private readonly FdHandle _wake = EventFd.Create();
    private readonly Epoll _epoll = new();
    private readonly byte[] _buffer = new byte[BufferBytes];
    private readonly TaskCompletionSource _firstEnd = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _allEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _killRequested;
    private long _killAtMilliseconds = long.MaxValue;
    private bool _killed;

    /// <param name="processes">Taken over.</param>
    /// <param name="console">The reading end of the guest's console; taken over.</param>
    /// <param name="consoleReceived">Called on the watching thread with every piece of console output.</param>
    public ProcessWatch(IEnumerable<WatchedProcess> processes, FdHandle console, Action<ReadOnlyMemory<byte>>? consoleReceived)
    {
        _processes = [.. processes];
        _console = console;
        _consoleReceived = consoleReceived;
    }

    public TailBuffer Console { get; } = new(ConsoleTailBytes);

    public IReadOnlyList<WatchedProcess> Processes => _processes;

    /// <summary>A process has ended or announced its end.</summary>
    public Task FirstEnd => _firstEnd.Task;

    /// <summary>Every process has ended and has been reaped, and everything it said has been read.</summary>
    public Task AllEnded => _allEnded.Task;

    public void Start()
    {
        _epoll.Add(_wake.Number, EpollEvents.Readable, WakeTag);
        _epoll.Add(_console.Number, EpollEvents.Readable, ConsoleTag);
        for (int index = 0; index < _processes.Count; index++)
        {
            WatchedProcess process = _processes[index];
            _epoll.Add(process.Child.PidFd.Number, EpollEvents.Readable, Tag(index, Source.Exit));
            if (process.Control is { } control)
            {
                _epoll.Add(control.Number, EpollEvents.Readable, Tag(index, Source.Control));
            }

            _epoll.Add(process.Errors.Number, EpollEvents.Readable, Tag(index, Source.Errors));
        }

        new Thread(Run) { IsBackground = true, Name = "sandbox watch" }.Start();
    }

    /// <summary>SIGKILL for every process that still runs. <see cref="AllEnded"/> tells when they are gone.</summary>
    public void Kill()
    {
        _killRequested = true;
        _ = EventFd.Signal(_wake.Number);
    }

    /// <summary>Only after <see cref="AllEnded"/>.</summary>
    public void Dispose()
    {
        foreach (WatchedProcess process in _processes)
        {
            process.Dispose();
        }

        _console.Dispose();
        _wake.Dispose();
        _epoll.Dispose();
    }

    private void Run()
    {
        Span<EpollReady> ready = stackalloc EpollReady[16];
        while (_processes.Exists(static process => process.Status is null))
        {
            long wait = _killAtMilliseconds == long.MaxValue ? -1 : Math.Max(0, _killAtMilliseconds - Environment.TickCount64);
            int count = _epoll.Wait(ready, (int)wait);
            for (int index = 0; index < count; index++)
            {
                Handle(ready[index].Tag);
            }

            if (!_killed && (_killRequested || Environment.TickCount64 >= _killAtMilliseconds))
            {
                KillAll();
            }
        }

        DrainRest();
        _firstEnd.TrySetResult();
        _allEnded.TrySetResult();
    }

    private void Handle(ulong tag)
    {
        if (tag == WakeTag)
        {
            _ = EventFd.TryConsume(_wake.Number);
            return;
        }

        if (tag == ConsoleTag)
        {
            DrainConsole();
            return;
        }

        WatchedProcess process = _processes[(int)(tag / TagsPerProcess)];
        switch ((Source)(tag % TagsPerProcess))
        {
            case Source.Exit:
                Reap(process);
                break;
            case Source.Control:
                DrainControl(process, process.Control!.Number);
                break;
            default:
                DrainErrors(process);
                break;
        }
    }

    private void Reap(WatchedProcess process)
    {
        if (process.Status is null && process.Child.TryWait(out ExitStatus status))
        {
            process.Status = status;
            _ = _epoll.Remove(process.Child.PidFd.Number);
            EndSoon();
        }
    }

    private void DrainControl(WatchedProcess process, int control)
    {
        int count = FdIo.Read(control, process.Inbox.Free);
        if (count <= 0)
        {
            // Closed, or reset by a process that died: its exit follows.
            _ = _epoll.Remove(control);
            return;
        }

        process.Inbox.Received(count);
        LaunchFault fault = process.Inbox.Drain(process);
        if (fault != LaunchFault.None)
        {
            process.Fault = fault;
            _ = _epoll.Remove(control);
            EndSoon();
        }
        else if (process.Ended is not null)
        {
            EndSoon();
        }
    }

    private void DrainErrors(WatchedProcess process)
    {
        int count = FdIo.Read(process.Errors.Number, _buffer);
        if (count <= 0)
        {
            _ = _epoll.Remove(process.Errors.Number);
            return;
        }

        process.ErrorTail.Append(_buffer.AsSpan(0, count));
    }

    private void DrainConsole()
    {
        int count = FdIo.Read(_console.Number, _buffer);
        if (count <= 0)
        {
            _ = _epoll.Remove(_console.Number);
            return;
        }

        Console.Append(_buffer.AsSpan(0, count));
        _consoleReceived?.Invoke(_buffer.AsMemory(0, count));
    }

    /// <summary>Every writer is gone: what is left in the pipes ends by itself.</summary>
    private void DrainRest()
    {
        Span<EpollReady> ready = stackalloc EpollReady[16];
        int count;
        while ((count = _epoll.Wait(ready, 0)) > 0)
        {
            bool drained = false;
            for (int index = 0; index < count; index++)
            {
                ulong tag = ready[index].Tag;
                drained |= tag != WakeTag;
                Handle(tag);
            }

            if (!drained)
            {
                return;
            }
        }
    }

    private void EndSoon()
    {
        if (_killAtMilliseconds == long.MaxValue)
        {
            _killAtMilliseconds = Environment.TickCount64 + LastWordsMilliseconds;
            _firstEnd.TrySetResult();
        }
    }

    private void KillAll()
    {
        _killed = true;
        _killAtMilliseconds = long.MaxValue;
        foreach (WatchedProcess process in _processes)
        {
            if (process.Status is null)
            {
                _ = process.Child.Kill(Signals.Kill);
            }
        }
    }

    private static ulong Tag(int process, Source source) => ((ulong)process * TagsPerProcess) + (ulong)source;
}
