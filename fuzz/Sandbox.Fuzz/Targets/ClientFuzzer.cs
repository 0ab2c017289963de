using System.Buffers.Binary;
using Sandbox.Agent;
using Sandbox.Control.Agent;
using Sandbox.Fuzz.Engine;
using Sandbox.Linux;

namespace Sandbox.Fuzz.Targets;

/// <summary>
/// The launcher's client of the guest's agent, between a hostile guest and an operator who does what he likes. Without its two threads: what they do
/// is done here, in the input's order. Nobody waits: a call that would wait has been cancelled before.
/// </summary>
internal sealed class ClientFuzzer : IFuzzer, IDisposable
{
    private readonly FdHandle _connection;
    private readonly FdHandle _peer;
    private readonly byte[] _wire = new byte[256 * 1024];

    public ClientFuzzer() => (_connection, _peer) = UnixSocket.CreatePair();

    public string Name => "client";

    public string Subject => "what is behind the agent session: client, processes, outputs, rings, queue";

    public int MaxInputBytes => 384;

    public void Run(ReadOnlySpan<byte> bytes)
    {
        InputReader input = new(bytes);
        using AgentClient client = new(_connection, static () => new ConfigureMessage("name", "/dev/vda", "erofs", true, 1, null, new byte[AgentLimits.EntropyBytes]));
        ClientGuest guest = new(client, _wire);
        ClientOperator operation = new(client, guest);
        if (Boots(ref input, guest))
        {
            if (!input.OneIn(8))
            {
                guest.Read(); // a queue that never holds two commands at once needs a tenth of the time
            }

            operation.Begin(wantsInput: true, big: false);
            if (!input.OneIn(4))
            {
                Answer(guest, guest.Commands[0]!, failed: false);
                _ = guest.Feed(int.MaxValue);
            }

            while (!input.IsEmpty && !guest.Blind)
            {
                switch (input.Below(4))
                {
                    case 0:
                        guest.Read();
                        break;
                    case 1:
                        operation.Act(ref input);
                        break;
                    default:
                        if (!guest.Over && !guest.HasToldStop)
                        {
                            Tell(ref input, guest);
                            _ = guest.Feed(input.OneIn(4) ? 1 + input.Byte() : int.MaxValue);
                        }

                        break;
                }
            }

            _ = guest.Feed(int.MaxValue);
            operation.CheckAtEnd();
        }

        operation.End();
    }

    public void Dispose()
    {
        _connection.Dispose();
        _peer.Dispose();
    }

    private static bool Boots(ref InputReader input, ClientGuest guest)
    {
        Span<byte> ready = stackalloc byte[16];
        ready.Clear();
        int fate = input.Below(32);
        guest.Tell(AgentMessageType.Hello, fate == 1 ? [2, 0, 0, 0] : [1, 0, 0, 0], breaks: fate == 1);
        if (fate == 2)
        {
            guest.Tell(AgentMessageType.Failed, [(byte)(1 + input.Below(10)), 2, 0, 0, 0, 1, 0, (byte)'a']);
        }
        else if (fate == 3)
        {
            guest.TellNoise(input.All());
        }
        else if (fate != 1)
        {
            guest.Tell(AgentMessageType.Ready, ready);
        }

        bool alive = fate != 4 || guest.Feed(9);
        alive = alive && guest.Feed(int.MaxValue);
        return alive && fate is 0 or > 3;
    }

    private static void Answer(ClientGuest guest, ClientCommand command, bool failed)
    {
        Span<byte> body = stackalloc byte[8];
        body.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(body, command.Id);
        body[4] = 2;
        command.Told = failed ? HostCommandPhase.Over : HostCommandPhase.Running;
        guest.Tell(failed ? AgentMessageType.ExecFailed : AgentMessageType.Started, body[..(failed ? 8 : 4)], command);
    }

    private static void Tell(ref InputReader input, ClientGuest guest)
    {
        if (input.OneIn(128))
        {
            guest.TellNoise(input.Bytes(input.Byte()));
            return;
        }

        if (guest.Commands.Count == 0 || guest.Commands[input.Below(Math.Min(guest.Commands.Count, 256))] is not { } command)
        {
            return;
        }

        if (input.OneIn(96))
        {
            Break(ref input, guest, command);
            return;
        }

        if (guest.ShutdownSeen && input.OneIn(16))
        {
            guest.TellStop();
            return;
        }

        int stream = 1 + input.Below(2);
        switch (command.Told)
        {
            case HostCommandPhase.Requested:
                int fate = input.Below(24);
                if (fate == 0 && input.OneIn(4))
                {
                    RefuseAll(guest);
                }
                else
                {
                    Answer(guest, command, failed: fate is 0 or 12);
                }

                break;
            case HostCommandPhase.Running:
                TellOfRunning(ref input, guest, command, stream);
                break;
            default:
                break;
        }
    }

    // A guest need not have read a request to refuse it, and each refusal lets the operator ask again.
    private static void RefuseAll(ClientGuest guest)
    {
        foreach (ClientCommand? command in guest.Commands)
        {
            if (command is { Told: HostCommandPhase.Requested })
            {
                Answer(guest, command, failed: true);
            }
        }
    }

    private static void TellOfRunning(ref InputReader input, ClientGuest guest, ClientCommand command, int stream)
    {
        ClientStream of = command.Streams[stream];
        Span<byte> body = stackalloc byte[12];
        body.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(body, command.Id);
        body[4] = (byte)stream;
        int choice = input.Below(16);
        int back = command.InputSeen - command.ToldGranted;
        if (choice == 0 && !of.ToldEnd)
        {
            of.ToldEnd = true;
            guest.Tell(AgentMessageType.End, body[..5], command, stream);
        }
        else if (choice == 1 && !command.ToldInputEnd && input.OneIn(4))
        {
            body[4] = 0;
            command.ToldInputEnd = true;
            guest.Tell(AgentMessageType.End, body[..5], command);
        }
        else if (choice < 5 && back > 0)
        {
            back = input.OneIn(2) ? back : 1 + (input.U16() % back);
            body[4] = 0;
            BinaryPrimitives.WriteUInt32LittleEndian(body[5..], (uint)back);
            command.ToldGranted += back;
            guest.Tell(AgentMessageType.Credit, body[..9], command, 0, back);
        }
        else if (command.Streams[1].ToldEnd && command.Streams[2].ToldEnd)
        {
            body[4] = 7;
            command.Told = HostCommandPhase.Over;
            guest.Tell(AgentMessageType.Exited, body, command);
        }
        else if (!of.ToldEnd && of.ToldLeave > 0)
        {
            int count = input.OneIn(24) ? AgentLimits.MaxDataBytes : input.OneIn(2) ? 1 + (input.U16() % 4096) : 1 + input.Byte();
            guest.TellData(command, stream, Math.Min(count, of.ToldLeave), breaks: false);
        }
    }

    // What no guest may do: each of these must end it.
    private static void Break(ref InputReader input, ClientGuest guest, ClientCommand command)
    {
        ClientStream output = command.Streams[1];
        Span<byte> body = stackalloc byte[12];
        body.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(body, command.Id);
        switch (input.Below(6))
        {
            case 0 when command.Told != HostCommandPhase.Requested:
                guest.Tell(AgentMessageType.Started, body[..4], breaks: true);
                break;
            case 1 when command.Told != HostCommandPhase.Running:
                guest.TellData(command, 1, 1 + input.Byte(), breaks: true);
                break;
            case 2 when output.ToldEnd:
                guest.TellData(command, 1, 1, breaks: true);
                break;
            case 3:
                body[4] = 1;
                body[5] = 1;
                guest.Tell(AgentMessageType.Credit, body[..9], breaks: true); // an output has no credit of the guest's
                break;
            case 4:
                BinaryPrimitives.WriteUInt32LittleEndian(body, 1000 + (uint)input.Byte()); // no command comes so far
                guest.Tell(AgentMessageType.Started, body[..4], breaks: true);
                break;
            default:
                guest.Tell(AgentMessageType.Exec, body[..4], breaks: true);
                break;
        }
    }
}
