using Sandbox.Agent;
using Sandbox.Control.Agent;
using Sandbox.Fuzz.Engine;

namespace Sandbox.Fuzz.Targets;

/// <summary>What an application does with the commands of a guest, and what must come of it.</summary>
internal sealed class ClientOperator(AgentClient client, ClientGuest guest)
{
    private const int MostAlive = AgentLimits.MaxLiveCommands;
    private const int DataFrameBytes = 16;
    private const int CreditLumpBytes = 64 * 1024;

    private static readonly CancellationToken Cancelled = new(canceled: true);
    private static readonly string[] SmallCommand = ["cat"];
    private static readonly string[] BigCommand = ["cat", new('a', 40_000)];
    private static readonly string[] BigEnvironment = [new('e', 20_000)];
    private static readonly SandboxException Reason = new(SandboxErrorKind.GuestStopped, "the microVM is over");

    private readonly byte[] _read = new byte[8192];
    private bool _failed;
    private bool _stopping;

    // A message may go: there is a session, and it is not at its end.
    private bool MaySend => !_failed && !guest.Stopped;

    public void Act(ref InputReader input)
    {
        ClientCommand? command = guest.Commands[input.Below(Math.Min(guest.Commands.Count, 256))];
        int choice = input.Below(20);
        if (choice is 0 or 1)
        {
            BeginSome(ref input);
        }
        else if (choice == 2 && input.OneIn(8))
        {
            bool taken = client.TryShutdown();
            ClientGuest.Require(taken == (!_failed && !_stopping), "whether the guest is asked to stop is wrong");
            _stopping |= taken;
        }
        else if (choice == 3 && guest.Over && input.OneIn(2))
        {
            Fail();
        }
        else if (command is not null)
        {
            ActOn(ref input, command, choice);
        }
    }

    public void Begin(bool wantsInput, bool big)
    {
        int alive = guest.Commands.Count(static command => command is { Phase: not HostCommandPhase.Over });
        bool allowed = !_failed && !_stopping && alive < MostAlive;
        try
        {
            ExecOptions options = new() { Command = big ? BigCommand : SmallCommand, WithStandardInput = wantsInput };
            GuestProcess process = client.Begin(options, big ? BigEnvironment : []);
            ClientGuest.Require(allowed, "a command is begun that may not be");
            guest.Commands.Add(new ClientCommand((uint)guest.Commands.Count + 1, process, wantsInput));
        }
        catch (SandboxException) when (!allowed)
        {
        }
    }

    /// <summary>Of a connection that lives: what was to reach the guest has reached it.</summary>
    public void CheckAtEnd()
    {
        if (guest.Over || guest.Blind)
        {
            return;
        }

        guest.Read();
        foreach (ClientCommand? command in guest.Commands)
        {
            if (command is { Phase: HostCommandPhase.Running } && MaySend)
            {
                ClientGuest.Require(command.KillSeen || !command.MustBeKilled, "an abandoned command runs on");
                for (int stream = 1; stream <= 2; stream++)
                {
                    ClientStream of = command.Streams[stream];
                    ClientGuest.Require(of.RefusalSeen || !of.MustBeRefused, "the guest is not told that an output is closed");
                    ClientGuest.Require(of.Ended || of.Gone - of.Credited < CreditLumpBytes, "the guest does not get back the leave that it has used");
                }
            }
        }
    }

    /// <summary>The microVM is over: nobody waits any more.</summary>
    public void End()
    {
        Fail();
        ClientGuest.Require(client.Hello.IsCompleted && client.Ready.IsCompleted && client.ShutdownDone.IsCompleted && client.Ended.IsCompletedSuccessfully, "somebody waits on a connection that is over");
        foreach (ClientCommand? command in guest.Commands)
        {
            ClientGuest.Require(command is null || command.Process.Started.IsCompleted, "somebody waits for a start that cannot come");
            ClientGuest.Require(guest.Blind || command is null || command.ExecFailed || command.Process.Exited.IsCompleted, "somebody waits for an end that cannot come");
            ClientGuest.Require(guest.Blind || command is null || command.Process.Started.IsCompletedSuccessfully == (command.Phase != HostCommandPhase.Requested && !command.ExecFailed), "a start is told wrong");
            for (int stream = 1; stream <= 2 && command is not null && !guest.Blind; stream++)
            {
                for (int reads = 0; !command.Streams[stream].Closed && command.Streams[stream].Read < command.Streams[stream].Received && reads < 64; reads++)
                {
                    Read(command, stream, _read.Length); // what came before the end is there
                }
            }
        }
    }

    private void Fail()
    {
        client.Fail(Reason);
        _failed = true;
    }

    private void BeginSome(ref InputReader input)
    {
        bool big = input.OneIn(32);
        for (int count = big ? 1 + input.Below(24) : 1; count != 0; count--)
        {
            Begin(!input.OneIn(4), big);
        }
    }

    private void ActOn(ref InputReader input, ClientCommand command, int choice)
    {
        int stream = 1 + input.Below(2);
        switch (choice)
        {
            case 4 or 5:
                Write(command, input.OneIn(24) ? input.U16() * 3 : input.OneIn(2) ? input.U16() % 4096 : input.Byte());
                break;
            case 6:
                command.Process.EndInput();
                command.InputOpen &= !MaySend;
                break;
            case 7 when input.OneIn(2):
                Close(command, stream);
                OutputOf(command, stream).Close();
                break;
            case 8 when input.OneIn(2):
                command.Abandoned = true;
                command.MustBeKilled |= command.Phase == HostCommandPhase.Running && MaySend;
                Close(command, 1);
                Close(command, 2);
                command.Process.Abandon();
                break;
            case 9:
                command.Process.Signal(15);
                break;
            case 10:
                command.Process.Resize(new TerminalSize(1, 2));
                break;
            default:
                Read(command, stream, input.OneIn(3) ? input.U16() % _read.Length : input.Byte());
                break;
        }
    }

    private void Close(ClientCommand command, int stream)
    {
        ClientStream of = command.Streams[stream];
        of.MustBeRefused |= !of.Closed && !of.Ended && command.Phase == HostCommandPhase.Running && MaySend;
        of.Closed = true;
    }

    private void Write(ClientCommand command, int count)
    {
        // How much of it goes: by the guest's leave and the queue's limit, one frame after the other.
        int queued = client.QueuedBytes;
        int left = count;
        int leave = command.InputLeave;
        bool open = !_failed && command.InputOpen;
        while (open && MaySend && left > 0)
        {
            int part = Math.Min(Math.Min(left, AgentLimits.MaxDataBytes), Math.Min(leave, FrameQueue.DataLimitBytes - queued));
            if (part <= 0)
            {
                break;
            }

            (left, leave, queued) = (left - part, leave - part, queued + DataFrameBytes + part);
        }

        ValueTask writing = command.Process.WriteInputAsync(Memory(command.InputWritten, count), Cancelled);
        command.InputWritten += count - left;
        ClientGuest.Require(client.QueuedBytes == queued, $"a write of {count} bytes leaves {client.QueuedBytes} in the queue; {queued} is right");
        Type? right = left == 0 ? null : _failed ? typeof(SandboxException) : !open ? typeof(IOException) : typeof(TaskCanceledException);
        Type? thrown = Outcome(writing.AsTask());
        ClientGuest.Require(thrown == right, $"a write gives {thrown?.Name ?? "nothing"}; {right?.Name ?? "nothing"} is right");
    }

    private void Read(ClientCommand command, int stream, int count)
    {
        ClientStream of = command.Streams[stream];
        int there = of.Received - of.Read;
        Task<int> reading = OutputOf(command, stream).ReadAsync(_read.AsMemory(0, count), Cancelled).AsTask();
        Type? right = of.Closed ? typeof(ObjectDisposedException)
            : count == 0 || there > 0 || of.Ended ? null
            : _failed ? typeof(SandboxException) : typeof(TaskCanceledException);
        Type? thrown = Outcome(reading);
        ClientGuest.Require(thrown == right, $"a read gives {thrown?.Name ?? "something"}; {right?.Name ?? "something"} is right");
        if (thrown is null)
        {
            int got = reading.Result;
            ClientGuest.Require(got == Math.Min(count, there), $"a read of {count} bytes gives {got} of {there}");
            ClientGuest.Require(_read.AsSpan(0, got).SequenceEqual(ClientGuest.Counting(of.Read, got)), "a read gives other bytes than the guest wrote");
            of.Read += got;
            Reached.Note(4, System.Numerics.BitOperations.Log2((uint)got + 1));
        }
    }

    // It has been cancelled before it began: whatever is not over at once never is.
    private static Type? Outcome(Task task)
    {
        ClientGuest.Require(task.IsCompleted, "a call waits that cannot wait");
        return task.IsCanceled ? typeof(TaskCanceledException) : task.Exception?.InnerException?.GetType();
    }

    private static GuestOutput OutputOf(ClientCommand command, int stream) => stream == 1 ? command.Process.Output : command.Process.Error;

    private static readonly byte[] s_input = [.. ClientGuest.Counting(0, AgentLimits.StreamWindowBytes)];

    private static ReadOnlyMemory<byte> Memory(int from, int count) => s_input.AsMemory(from % 251, count);
}
