using Sandbox.Control.Launch;
using Sandbox.Linux;

namespace Sandbox.Runtime;

/// <summary>
/// One thread that drains what the processes of a microVM say (control sockets, standard errors, the guest's console), waits for
/// their ends and reaps them. It ends when every process has. The first end ends them all: a microVM lives whole or not at all. Only a
/// device process that can be replaced is, when it dies without a word: then the VMM is given the other one's socket.
/// </summary>
internal sealed class ProcessWatch : IDisposable
{
    private const int ConsoleTailBytes = 64 * 1024;
    private const int BufferBytes = 16 * 1024;

    /// <summary>Once one process has ended, the others get this long to say why they end too, before they are killed.</summary>
    private const int LastWordsMilliseconds = 200;

    private const ulong WakeTag = ulong.MaxValue;
    private const ulong ConsoleTag = ulong.MaxValue - 1;
    /// <summary>More than the buffers of a socket and a pipe hold, read a frame at a time.</summary>
    private const int MostLastReads = 4096;

    private const int TagsPerProcess = 3; // in the order of the enum below
    private enum Source
    {
        Exit, Control, Errors,
    }

    private readonly WatchedProcess[] _processes;
    private readonly RestartRequests _restarts;
    private readonly DeviceRevival? _revival;
    private readonly int _vsock; // the process that has questions, or -1
    private readonly FdHandle _console;
    private readonly Action<ReadOnlyMemory<byte>>? _consoleReceived;
    private readonly FdHandle _wake = EventFd.Create();
    private readonly Epoll _epoll = new();
    private readonly byte[] _buffer = new byte[BufferBytes];
    private readonly TaskCompletionSource _firstEnd = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _allEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _killRequested;
    private long _killAtMilliseconds = long.MaxValue;
    private volatile int _replacements;
    private bool _killed;

    /// <param name="processes">Taken over. The VMM first, then the devices in the order of their places.</param>
    /// <param name="revival">Starts device processes anew; taken over. Null: none is.</param>
    /// <param name="console">The reading end of the guest's console; taken over.</param>
    /// <param name="consoleReceived">Called on the watching thread with every piece of console output.</param>
    public ProcessWatch(IEnumerable<WatchedProcess> processes, DeviceRevival? revival, FdHandle console, Action<ReadOnlyMemory<byte>>? consoleReceived)
    {
        _processes = [.. processes];
        _vsock = Array.FindIndex(_processes, static process => process.Connector is not null);
        _restarts = new RestartRequests(_processes.Length);
        _revival = revival;
        _console = console;
        _consoleReceived = consoleReceived;
    }

    public TailBuffer Console { get; } = new(ConsoleTailBytes);

    public IReadOnlyList<WatchedProcess> Processes => _processes;

    /// <summary>How many device processes were replaced.</summary>
    public int Replacements => _replacements;

    /// <summary>Why a device process was not replaced once more; null when that was not the end.</summary>
    public string? GivenUp { get; private set; }

    /// <summary>A process has ended or announced its end, for good.</summary>
    public Task FirstEnd => _firstEnd.Task;

    /// <summary>Every process has ended and has been reaped, and everything it said has been read.</summary>
    public Task AllEnded => _allEnded.Task;

    public void Start()
    {
        _epoll.Add(_wake.Number, EpollEvents.Readable, WakeTag);
        _epoll.Add(_console.Number, EpollEvents.Readable, ConsoleTag);
        for (int index = 0; index < _processes.Length; index++)
        {
            Watch(index);
        }

        new Thread(Run) { IsBackground = true, Name = "sandbox watch" }.Start();
    }

    /// <summary>SIGKILL for every process that still runs. <see cref="AllEnded"/> tells when they are gone.</summary>
    public void Kill()
    {
        _killRequested = true;
        _ = EventFd.Signal(_wake.Number);
    }

    /// <summary>
    /// A disk whose file has another size gets another process, which is given that size; the VMM sees the difference and tells the guest.
    /// A device process never learns anything after its start: to end and begin anew is its one way, and what is in flight survives it.
    /// </summary>
    /// <param name="place">The device.</param>
    /// <param name="name">Of the file, for messages.</param>
    /// <returns>Whether it has another size.</returns>
    /// <exception cref="SandboxException">The file has a size that a disk cannot have.</exception>
    public bool TryResizeDisk(int place, string name)
    {
        if (_revival?.TryTakeSize(place, name) != true)
        {
            return false;
        }

        _restarts.Ask(place + 1);
        _ = EventFd.Signal(_wake.Number);
        return true;
    }

    /// <summary>Only after <see cref="AllEnded"/>.</summary>
    public void Dispose()
    {
        foreach (WatchedProcess process in _processes)
        {
            process.Dispose();
        }

        _revival?.Dispose();
        _console.Dispose();
        _wake.Dispose();
        _epoll.Dispose();
    }

    private void Run()
    {
        Span<EpollReady> ready = stackalloc EpollReady[16];
        while (_revival is { Pending: > 0 } || Array.Exists(_processes, static process => process.Status is null))
        {
            int count = _epoll.Wait(ready, NextWait());
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

    // What a vsock device has asked for is answered here, once it is due: in milliseconds, until the next thing to do without a message; -1: for ever.
    private int NextWait()
    {
        long now = Environment.TickCount64;
        bool answers = !_killed && !_killRequested && _killAtMilliseconds == long.MaxValue && _vsock >= 0 && _processes[_vsock] is { IsControlDrained: false, Status: null };
        return answers ? _processes[_vsock].Connector!.Answer(_processes[_vsock].Control!.Number, now)
            : _killAtMilliseconds == long.MaxValue ? -1 : (int)Math.Max(0, _killAtMilliseconds - now);
    }

    private void Handle(ulong tag)
    {
        if (tag == WakeTag)
        {
            _ = EventFd.TryConsume(_wake.Number);
            TakeRevived();
            _restarts.CarryOut(_processes);
            return;
        }

        if (tag == ConsoleTag)
        {
            DrainConsole();
            return;
        }

        int place = (int)(tag / TagsPerProcess);
        WatchedProcess process = _processes[place];
        switch ((Source)(tag % TagsPerProcess))
        {
            case Source.Exit:
                Reap(place);
                break;
            case Source.Control when IsReadable(process.Control!): // it may have been read in this round already, and a stranger may hold its other end
                DrainControl(process, process.Control!.Number);
                HandOver(place);
                break;
            case Source.Errors when IsReadable(process.Errors):
                DrainErrors(process);
                break;
        }
    }

    private void Watch(int index)
    {
        WatchedProcess process = _processes[index];
        _epoll.Add(process.Child.PidFd.Number, EpollEvents.Readable, Tag(index, Source.Exit));
        if (process.Control is { } control)
        {
            _epoll.Add(control.Number, EpollEvents.Readable, Tag(index, Source.Control));
        }

        _epoll.Add(process.Errors.Number, EpollEvents.Readable, Tag(index, Source.Errors));
    }

    private void Reap(int index)
    {
        WatchedProcess process = _processes[index];
        if (process.Status is null && process.Child.TryWait(out ExitStatus status))
        {
            process.Status = status;
            _ = _epoll.Remove(process.Child.PidFd.Number);
            if (!TryRevive(index, process))
            {
                EndSoon();
            }
        }
    }

    // A process that says why it ends has its reason, and another would have it too. One that just dies is replaced.
    private bool TryRevive(int index, WatchedProcess process)
    {
        if (index == 0 || _revival?.IsReplaceable(index - 1) != true)
        {
            return false;
        }

        if (_killRequested || _killed || _killAtMilliseconds != long.MaxValue || !TryDrain(process) || process.Ended is not null || process.Fault != LaunchFault.None)
        {
            return false;
        }

        if (_revival.TryBegin(index - 1, _wake, process.IsRestarting))
        {
            return true;
        }

        GivenUp = EndDiagnosis.GivenUp(process);
        return false;
    }

    // What a process that has ended has said. Its socket and its pipe should have ended with it; they have not when it handed them on, to the VMM by
    // their common socket (SCM_RIGHTS, which no filter sees), where they may lie for ever. Then nobody waits, and it is not replaced: false.
    private bool TryDrain(WatchedProcess process)
    {
        for (int reads = 0; reads < MostLastReads && !(process.IsControlDrained && process.AreErrorsDrained); reads++)
        {
            if (!process.IsControlDrained && IsReadable(process.Control!))
            {
                DrainControl(process, process.Control!.Number);
            }
            else if (!process.AreErrorsDrained && IsReadable(process.Errors))
            {
                DrainErrors(process);
            }
            else
            {
                break;
            }
        }

        return process.IsControlDrained && process.AreErrorsDrained;
    }

    private static bool IsReadable(FdHandle fd) => Poll.Wait(fd.Number, PollEvents.Readable, 0, out _) > 0;

    private void TakeRevived()
    {
        while (_revival is not null && _revival.TryTake(out RevivedDevice? device))
        {
            if (device!.Process is null)
            {
                GivenUp ??= device.Failure;
                EndSoon();
                continue;
            }

            int index = device.Place + 1;
            _processes[index].Dispose();
            _processes[index] = device.Process;
            device.Process.Frontend = device.Frontend;
            _replacements++;
            Watch(index);
            if (_killed)
            {
                _ = device.Process.Child.Kill(Signals.Kill);
            }
        }
    }

    // A replacement is given to the VMM when it is ready to be talked to.
    private void HandOver(int index)
    {
        WatchedProcess process = _processes[index];
        if (process.Frontend is { } frontend && process.Ready.IsCompletedSuccessfully)
        {
            DeviceRevival.HandOver(index - 1, frontend, _processes[0]);
            process.Frontend = null;
            frontend.Dispose();
        }
    }

    private void DrainControl(WatchedProcess process, int control)
    {
        int count = FdIo.Read(control, process.Inbox.Free);
        if (count <= 0)
        {
            // Closed, or reset by a process that died: its exit follows.
            process.IsControlDrained = true;
            _ = _epoll.Remove(control);
            return;
        }

        process.Inbox.Received(count);
        LaunchFault fault = process.Inbox.Drain(process);
        if (fault != LaunchFault.None)
        {
            process.Fault = fault;
            process.IsControlDrained = true;
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
            process.AreErrorsDrained = true;
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
