using Sandbox.Control.Agent;
using Sandbox.Linux;
using Sandbox.Linux.Guest;

namespace Sandbox.Init.Agent;

/// <summary>One command of the host that runs here: its process and its three streams.</summary>
internal sealed class GuestCommand
{
    private ChildExit? _exit;
    private bool _refusalSent;
    private FdHandle? _terminal;

    private GuestCommand(uint id, int pid, CommandInput? input, CommandOutput output, CommandOutput error)
    {
        Id = id;
        Pid = pid;
        Input = input;
        Output = output;
        Error = error;
    }

    public uint Id { get; }

    public int Pid { get; }

    /// <summary>Null when the command's input is /dev/null.</summary>
    public CommandInput? Input { get; }

    public CommandOutput Output { get; }

    public CommandOutput Error { get; }

    /// <summary>Whether its process still holds its pid (not reaped yet).</summary>
    public bool Alive => _exit is null;

    /// <summary>Starts it. Null with the error number of the failed step.</summary>
    public static GuestCommand? Start(ExecMessage exec, Epoll epoll, out Errno error)
    {
        (FdHandle Read, FdHandle Write) output = default;
        (FdHandle Read, FdHandle Write) errors = default;
        (FdHandle? Read, FdHandle? Write) input = default;
        try
        {
            errors = GuestPipe.Create(); // with a terminal nobody writes to it: it ends at once
            string? terminal = null;
            if (exec.Terminal is { } size)
            {
                (output.Read, terminal) = GuestTerminal.Open(size.Rows, size.Columns);
                input.Write = exec.WantInput ? FdIo.Duplicate(output.Read.Number) : null;
            }
            else
            {
                output = GuestPipe.Create();
                input = exec.WantInput ? GuestPipe.Create() : (FileOpen.Read("/dev/null"), null);
            }

            int pid = ProgramSearch.Spawn(exec, new CommandStreams(input.Read?.Number ?? -1, output.Write?.Number ?? -1, errors.Write.Number, terminal));
            error = (Errno)Math.Max(-pid, 0);
            if (pid < 0)
            {
                Close(output.Read, errors.Read, input.Write);
                return null;
            }

            CommandInput? commandInput = input.Write is null ? null : new CommandInput(Watch(epoll, input.Write, exec.Id, AgentStream.Input));
            return new GuestCommand(
                exec.Id,
                pid,
                commandInput,
                new CommandOutput(exec.Id, AgentStream.Output, Watch(epoll, output.Read, exec.Id, AgentStream.Output), isTerminal: terminal is not null),
                new CommandOutput(exec.Id, AgentStream.Error, Watch(epoll, errors.Read, exec.Id, AgentStream.Error)))
            {
                _terminal = terminal is null ? null : output.Read,
            };
        }
        catch (LinuxException exception)
        {
            error = exception.Errno;
            Close(output.Read, errors.Read, input.Write);
            return null;
        }
        finally
        {
            Close(output.Write, errors.Write, input.Read);
        }
    }

    /// <summary>Gives its terminal another size. False: it has none.</summary>
    public bool TryResize(AgentTerminal size)
    {
        if (_terminal is { IsClosed: false })
        {
            _ = GuestTerminal.Resize(_terminal, size.Rows, size.Columns);
        }

        return _terminal is not null;
    }

    /// <summary>The tag of a stream in the epoll set. Ids begin at 1, so tags below 4 are the server's own.</summary>
    public static ulong Tag(uint id, AgentStream stream) => ((ulong)id << 2) | (byte)stream;

    /// <summary>Notes that the process was reaped.</summary>
    public void Died(ChildExit exit, OutgoingBuffer outgoing)
    {
        _exit = exit;
        Output.CommandDied(outgoing);
        Error.CommandDied(outgoing);
    }

    /// <summary>Says the last word when the process is dead and both streams have ended. True: the command is over.</summary>
    public bool TryFinish(OutgoingBuffer outgoing)
    {
        if (_exit is not { } exit || !Output.Ended || !Error.Ended)
        {
            return false;
        }

        Close();
        outgoing.Added(new ExitedMessage(Id, exit.ExitCode, exit.Signal).Encode(outgoing.Room(64)));
        return true;
    }

    /// <summary>Gives credit for input the command has taken, or tells the host, once, that it reads no more.</summary>
    public void AnswerInput(uint credit, OutgoingBuffer outgoing)
    {
        if (credit > 0 && Input is { Closed: false })
        {
            outgoing.Added(new CreditMessage(Id, AgentStream.Input, credit).Encode(outgoing.Room(64)));
        }

        if (Input is { Closed: true, EndedByHost: false } && !_refusalSent)
        {
            _refusalSent = true;
            outgoing.Added(new EndMessage(Id, AgentStream.Input).Encode(outgoing.Room(64)));
        }
    }

    public void Close()
    {
        Input?.Close();
        Output.Close();
        Error.Close();
    }

    private static Watch Watch(Epoll epoll, FdHandle fd, uint id, AgentStream stream)
    {
        LinuxException.Check(FdIo.SetNonBlocking(fd.Number, true), "fcntl O_NONBLOCK");
        return new Watch(epoll, fd, Tag(id, stream));
    }

    private static void Close(params ReadOnlySpan<FdHandle?> handles)
    {
        foreach (FdHandle? handle in handles)
        {
            handle?.Dispose();
        }
    }
}
