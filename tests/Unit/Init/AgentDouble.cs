using System.Reflection;
using System.Runtime.InteropServices;
using Sandbox.Control.Agent;
using Sandbox.Linux;

namespace Sandbox.Unit.Tests.Init;

/// <summary>
/// The host's end of a real sandbox-init that runs as an ordinary process on a socket pair. Single-threaded: it sends, then
/// pumps what comes until a condition holds. Every frame of the agent goes through the host's session, so each of these
/// tests also proves that the agent keeps to the protocol.
/// </summary>
internal sealed class AgentDouble : IDisposable
{
    private const int ReceiveMilliseconds = 20_000;

    private readonly byte[] _frame = new byte[AgentLimits.MaxFrameBytes];
    private readonly AgentFrameReader _reader = new();
    private readonly Dictionary<uint, CommandRecord> _records = [];
    private readonly FdHandle _socket;

    public AgentDouble()
    {
        (_socket, FdHandle guest) = UnixSocket.CreatePair();
        using (guest)
        using (FdHandle nothing = FileOpen.ReadWrite("/dev/null"))
        using (FdHandle errors = FdIo.Duplicate(2))
        {
            string dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../../dotnet"));
            string init = typeof(AgentDouble).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(item => item.Key == "SandboxInit").Value!;
            using FdHandle exe = FileOpen.Read(dotnet);
            Process = Spawner.Spawn(new SpawnSpec
            {
                Executable = exe,
                Arguments = [dotnet, "exec", init, "--agent-on-fd", "3"],
                Environment = ["PATH=/usr/bin:/bin", $"DOTNET_ROOT={Path.GetDirectoryName(dotnet)}", "DOTNET_gcServer=0"],
                Fds = [new(0, nothing), new(1, nothing), new(2, errors), new(3, guest)],
            });
        }

        Pump(() => Session.Phase == AgentPhase.AwaitConfigure);
        Assert.True(Session.TrySend(AgentMessageType.Configure));
        ConfigureMessage configure = new("guest", "/dev/vda", "erofs", true, 1, null, new byte[AgentLimits.EntropyBytes]);
        Assert.Equal(AgentFault.None, configure.Encode(_frame, out int length));
        Send(length);
        Pump(() => Session.Phase == AgentPhase.Running);
    }

    public ChildProcess Process { get; }

    public HostSession Session { get; } = new();

    public CommandRecord Run(string script, bool wantInput = false) => Exec(["/bin/sh", "-c", script], wantInput);

    public CommandRecord Exec(IReadOnlyList<string> arguments, bool wantInput = false, IReadOnlyList<string>? environment = null, string directory = "/", AgentTerminal? terminal = null)
    {
        HostCommand command = Session.Begin(wantInput)!;
        CommandRecord record = new(command);
        _records.Add(command.Id, record);
        ExecMessage message = new(command.Id, arguments, environment ?? ["PATH=/usr/bin:/bin"], directory, wantInput, terminal);
        Assert.Equal(AgentFault.None, message.Encode(_frame, out int length));
        Send(length);
        return record;
    }

    /// <summary>Sends input as far as the window allows now; how much that was.</summary>
    public int SendInput(CommandRecord record, ReadOnlySpan<byte> data)
    {
        int total = 0;
        while (total < data.Length && record.Command.InputOpen && record.Command.Input.AvailableBytes > 0)
        {
            int count = Math.Min(Math.Min(data.Length - total, AgentLimits.MaxDataBytes), record.Command.Input.AvailableBytes);
            record.Command.Input.Sent(count);
            Send(new DataMessage(record.Command.Id, AgentStream.Input, data.Slice(total, count)).Encode(_frame));
            total += count;
        }

        return total;
    }

    public void EndInput(CommandRecord record)
    {
        record.Command.InputEnded();
        Send(new EndMessage(record.Command.Id, AgentStream.Input).Encode(_frame));
    }

    public void EndOutput(CommandRecord record) => Send(new EndMessage(record.Command.Id, AgentStream.Output).Encode(_frame));

    public void Signal(CommandRecord record, int signal) => Send(new SignalMessage(record.Command.Id, signal).Encode(_frame));

    public void Resize(CommandRecord record, AgentTerminal size) => Send(new ResizeMessage(record.Command.Id, size).Encode(_frame));

    public void Shutdown()
    {
        Assert.True(Session.TrySend(AgentMessageType.Shutdown));
        Send(EmptyMessage.Encode(_frame, AgentMessageType.Shutdown));
    }

    /// <summary>Sends any bytes: what a broken host might.</summary>
    public void SendRaw(ReadOnlySpan<byte> bytes) => Assert.Equal(0, FdIo.WriteAll(_socket.Number, bytes));

    public void CloseConnection() => _socket.Dispose();

    public void WaitFor(CommandRecord record) => Pump(() => record.Command.Phase == HostCommandPhase.Over);

    /// <summary>Receives until the condition holds.</summary>
    public void Pump(Func<bool> done)
    {
        while (!done())
        {
            Assert.True(PumpOnce(ReceiveMilliseconds), "the agent said nothing for 20 seconds");
        }
    }

    /// <summary>Receives once; false when nothing came in that time.</summary>
    public bool PumpOnce(int timeoutMilliseconds)
    {
        if (Poll.Wait(_socket.Number, PollEvents.Readable, timeoutMilliseconds, out _) == 0)
        {
            return false;
        }

        int count = FdIo.Read(_socket.Number, _reader.Free);
        Assert.True(count > 0, $"the agent is gone ({count})");
        _reader.Received(count);
        while (_reader.TryTake(out AgentFrame frame))
        {
            Assert.Equal(AgentFault.None, Session.Receive(frame, out HostEvent received));
            if (received.Command is not null)
            {
                Record(_records[received.Command.Id], received);
            }
        }

        Assert.Equal(AgentFault.None, _reader.Fault);
        return true;
    }

    /// <summary>Gives back the credit of bytes a slow reader held.</summary>
    public void Consume(CommandRecord record, AgentStream stream)
    {
        int held = stream == AgentStream.Output ? record.HeldOutputBytes : 0;
        record.HeldOutputBytes -= held;
        Credit(record, stream, held);
    }

    public void Dispose()
    {
        _socket.Dispose();
        Process.Kill(9);
        Process.Wait();
        Process.Dispose();
    }

    private void Record(CommandRecord record, HostEvent received)
    {
        switch (received.Type)
        {
            case AgentMessageType.Data:
                (received.Stream == AgentStream.Output ? record.Output : record.Error).Write(received.Data);
                if (record.Slow && received.Stream == AgentStream.Output)
                {
                    record.HeldOutputBytes += received.Data.Length;
                }
                else
                {
                    Credit(record, received.Stream, received.Data.Length);
                }

                break;
            case AgentMessageType.Exited:
                record.Exited = received.Exited;
                break;
            case AgentMessageType.ExecFailed:
                record.ExecErrno = received.Errno;
                break;
        }
    }

    private void Credit(CommandRecord record, AgentStream stream, int bytes)
    {
        uint credit = record.Command.Consumed(stream, bytes);
        if (credit > 0)
        {
            Send(new CreditMessage(record.Command.Id, stream, credit).Encode(_frame));
        }
    }

    private void Send(int frameBytes) => SendRaw(_frame.AsSpan(0, frameBytes));
}

/// <summary>What came of one command.</summary>
internal sealed class CommandRecord(HostCommand command)
{
    public HostCommand Command { get; } = command;

    public MemoryStream Output { get; } = new();

    public MemoryStream Error { get; } = new();

    public string OutputText => System.Text.Encoding.UTF8.GetString(Output.ToArray());

    public string ErrorText => System.Text.Encoding.UTF8.GetString(Error.ToArray());

    public ExitedMessage Exited { get; set; }

    public int ExecErrno { get; set; }

    /// <summary>Gives no credit for its output by itself.</summary>
    public bool Slow { get; set; }

    public int HeldOutputBytes { get; set; }
}
