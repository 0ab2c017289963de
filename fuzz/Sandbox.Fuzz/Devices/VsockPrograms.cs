using Sandbox.Control.Launch;
using Sandbox.Device;
using Sandbox.Device.Vsock;
using Sandbox.Fuzz.Engine;
using Sandbox.Linux;

namespace Sandbox.Fuzz.Devices;

/// <summary>A port with slots for many connections: the launcher that is asked for sockets, and the programs at their other ends.</summary>
internal sealed class VsockPrograms : IDisposable
{
    public const uint Port = 1025;

    private const uint AgentPort = 1024;
    private const int Place = 1; // of the port, behind the agent's
    private const int Slots = 3;

    private readonly FdHandle _control;
    private readonly FdHandle _deviceControl;
    private readonly List<(FdHandle End, byte Next)> _programs = []; // what each writes is a row of counting bytes
    private readonly byte[] _scratch = new byte[4096];
    private readonly byte[] _frame = new byte[VsockConnect.FrameBytes];
    private bool _asked;

    public VsockPrograms()
    {
        (_control, _deviceControl) = UnixSocket.CreatePair();
        _ = FdIo.SetNonBlocking(_control.Number, on: true);
        ControlSocket control = new(_deviceControl.Number);
        control.ExpectAnswers();
        Requests = new SocketRequests(control, [AgentPort, Port]);
        Connections[0] = VsockConnection.Slot(Port, Connect());
        VsockConnection.FillSlots(Connections.AsSpan(1));
    }

    public SocketRequests Requests { get; }

    public VsockConnection[] Connections { get; } = new VsockConnection[1 + Slots];

    /// <summary>The process's loop looks at its control socket.</summary>
    public void Turn(VsockDevice device)
    {
        if (Poll.Wait(_deviceControl.Number, PollEvents.Readable, 0, out _) <= 0)
        {
            return;
        }

        if (!device.TryHearLauncher())
        {
            throw new FindingException("vsock: the launcher's answer was not expected");
        }
    }

    /// <summary>The launcher answers, late or never, or a program does something.</summary>
    public void Disturb(ref InputReader input)
    {
        switch (input.Below(6))
        {
            case 0 or 1:
                TakeQuestion();
                if (_asked)
                {
                    Answer(input.OneIn(4));
                }

                break;
            case 2 or 3:
                Write(ref input);
                break;
            case 4:
                _ = FdIo.Read(_programs[input.Below(_programs.Count)].End.Number, _scratch);
                break;
            default:
                if (input.OneIn(3))
                {
                    FdHandle end = _programs[input.Below(_programs.Count)].End;
                    _ = input.Below(3) switch { 0 => UnixSocket.ShutdownRead(end.Number), 1 => UnixSocket.ShutdownWrite(end.Number), _ => UnixSocket.Shutdown(end.Number) };
                }

                break;
        }
    }

    /// <summary>Between turns: a question is one at a time, of the one port that can be asked for.</summary>
    public void TakeQuestion()
    {
        int count = FdIo.Read(_control.Number, _frame);
        if (count <= 0)
        {
            return;
        }

        if (count != _frame.Length
            || LaunchFrame.ReadHeader(_frame, out LaunchMessageType type, out _) != LaunchFault.None
            || type != LaunchMessageType.VsockConnect
            || VsockConnect.Decode(_frame.AsSpan(LaunchFrame.HeaderBytes), out VsockConnect question) != LaunchFault.None
            || question.Port != Place
            || _asked)
        {
            throw new FindingException("vsock: a question to the launcher that is none, or a second one");
        }

        _asked = true;
        Reached.Note(61, 0);
    }

    public void Dispose()
    {
        foreach (VsockConnection connection in Connections)
        {
            _ = connection.Socket >= 0 ? FdIo.Close(connection.Socket) : 0;
        }

        _programs.ForEach(static program => program.End.Dispose());
        _control.Dispose();
        _deviceControl.Dispose();
    }

    private void Answer(bool refuse)
    {
        int open = 0;
        foreach (VsockConnection connection in Connections)
        {
            open += connection.Phase == VsockPhase.Connected ? 1 : 0;
        }

        Reached.Note(refuse ? 62 : 63, open);
        Span<byte> frame = stackalloc byte[VsockAnswer.FrameBytes];
        _ = new VsockAnswer(Place, !refuse).Encode(frame);
        if (refuse)
        {
            _ = UnixSocket.Send(_control.Number, frame, []);
        }
        else
        {
            int socket = Connect();
            _ = UnixSocket.Send(_control.Number, frame, [socket]);
            _ = FdIo.Close(socket);
        }

        _asked = false;
    }

    private int Connect()
    {
        (FdHandle end, FdHandle socket) = UnixSocket.CreatePair();
        _ = FdIo.SetNonBlocking(end.Number, on: true);
        _ = FdIo.SetNonBlocking(socket.Number, on: true);
        _programs.Add((end, 0));
        return socket.Take();
    }

    private void Write(ref InputReader input)
    {
        int index = input.Below(_programs.Count);
        (FdHandle end, byte next) = _programs[index];
        int count = 1 + input.Below(64);
        for (int place = 0; place < count; place++)
        {
            _scratch[place] = unchecked((byte)(next + place));
        }

        int sent = UnixSocket.Send(end.Number, _scratch.AsSpan(0, count), []);
        _programs[index] = (end, unchecked((byte)(next + Math.Max(sent, 0))));
    }
}
