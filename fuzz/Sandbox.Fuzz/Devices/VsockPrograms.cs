using Sandbox.Control.Launch;
using Sandbox.Device;
using Sandbox.Device.Vsock;
using Sandbox.Fuzz.Engine;
using Sandbox.Linux;

namespace Sandbox.Fuzz.Devices;

/// <summary>
/// The host's side: a port that has one connection, the guest's own port, two ports with slots for many connections; the launcher that is
/// asked for sockets, and the programs at their other ends.
/// </summary>
internal sealed class VsockPrograms : IDisposable
{
    public const uint AgentPort = 1024;
    public const uint OwnPort = 78;

    /// <summary>What the device can hold of the two that are no slots: small, so that it is full and wraps.</summary>
    public const int BufferBytes = 4096;

    private const uint FirstPort = 1025;
    private const uint SecondPort = 1026;
    private const int MaxPrograms = 255;
    private const int Slots = 3;
    private const int Mapped = 2; // of the slots, those of the sockets that the process begins with

    private readonly FdHandle _control;
    private readonly FdHandle _deviceControl;
    private readonly FdHandle _agent;
    private readonly FdHandle _own;
    private readonly uint[] _ports = [AgentPort, FirstPort, SecondPort];
    private readonly List<VsockProgram> _programs = [];
    private readonly byte[] _scratch = new byte[4096];
    private readonly byte[] _frame = new byte[VsockConnect.FrameBytes];
    private int _asked = -1; // the place of the port that a question is open for

    /// <param name="fresh">Nobody has connected to the mapped ports yet: their first sockets are there.</param>
    public VsockPrograms(bool fresh)
    {
        (_control, _deviceControl) = UnixSocket.CreatePair();
        _ = FdIo.SetNonBlocking(_control.Number, on: true);
        ControlSocket control = new(_deviceControl.Number);
        control.ExpectAnswers();
        Requests = new SocketRequests(control, _ports);
        _agent = new FdHandle(Connect(AgentPort));
        _own = new FdHandle(Connect(OwnPort));
        byte[] store = ByteRing.NewStore(2 * BufferBytes);
        int first = fresh ? 2 + Mapped : 2;
        Connections = new VsockConnection[first + Slots];
        Connections[0] = new VsockConnection(AgentPort, _agent.Number, buffer: new ByteRing(store, 0, BufferBytes));
        Connections[1] = new VsockConnection(OwnPort, _own.Number, guestListens: true, new ByteRing(store, BufferBytes, BufferBytes));
        for (int index = 2; index < first; index++)
        {
            uint port = FirstPort + (uint)index - 2;
            Connections[index] = VsockConnection.Slot(port, Connect(port));
        }

        VsockConnection.FillSlots(Connections.AsSpan(first));
    }

    public SocketRequests Requests { get; }

    public VsockConnection[] Connections { get; }

    public static bool IsAskable(uint port) => port is FirstPort or SecondPort;

    public VsockProgram? Of(byte serial) => serial != 0 && serial <= _programs.Count ? _programs[serial - 1] : null;

    /// <summary>The connection's program, or where it is not known one of its port's, reads no more.</summary>
    public bool HasRefused(VsockTalk talk)
    {
        if (talk.Program is { } program)
        {
            return program.ReadsNoMore;
        }

        foreach (VsockProgram other in _programs)
        {
            if (other.Port == talk.HostPort && other.ReadsNoMore)
            {
                return true;
            }
        }

        return false;
    }

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
    /// <param name="input">Says what.</param>
    /// <param name="guest">Who says what they are to read; null: nobody knows.</param>
    public void Disturb(ref InputReader input, VsockGuest? guest)
    {
        int action = input.Below(8);
        if (action < 2)
        {
            TakeQuestion();
            if (_asked >= 0)
            {
                Answer(refuse: input.OneIn(6));
            }

            return;
        }

        VsockProgram program = _programs[input.Below(_programs.Count)];
        switch (action)
        {
            case 2 or 3 or 4:
                program.Write(_scratch.AsSpan(0, input.OneIn(4) ? input.U16() % _scratch.Length : 1 + input.Below(64)));
                break;
            case 5 or 6:
                _ = program.Read(_scratch, guest);
                break;
            default:
                if (input.OneIn(3))
                {
                    int ends = input.Below(3);
                    program.Shut(reading: ends != 1, writing: ends != 0);
                }

                break;
        }
    }

    /// <summary>A question is one at a time, of a port that can be asked for. True: one is open.</summary>
    public bool TakeQuestion()
    {
        int count = FdIo.Read(_control.Number, _frame);
        if (count <= 0)
        {
            return _asked >= 0;
        }

        if (count != _frame.Length
            || LaunchFrame.ReadHeader(_frame, out LaunchMessageType type, out _) != LaunchFault.None
            || type != LaunchMessageType.VsockConnect
            || VsockConnect.Decode(_frame.AsSpan(LaunchFrame.HeaderBytes), out VsockConnect question) != LaunchFault.None
            || question.Port >= _ports.Length
            || !IsAskable(_ports[question.Port])
            || _asked >= 0)
        {
            throw new FindingException("vsock: a question to the launcher that is none, or a second one");
        }

        _asked = question.Port;
        Reached.Note(61, _asked);
        return true;
    }

    /// <summary>Every program reads what there is; false: there was nothing.</summary>
    public bool ReadAll(VsockGuest guest)
    {
        bool any = false;
        foreach (VsockProgram program in _programs)
        {
            while (program.Read(_scratch, guest))
            {
                any = true;
            }
        }

        return any;
    }

    public void Dispose()
    {
        foreach (VsockConnection connection in Connections)
        {
            _ = connection.IsSlot && connection.Socket >= 0 ? FdIo.Close(connection.Socket) : 0;
        }

        _programs.ForEach(static program => program.Dispose());
        _agent.Dispose();
        _own.Dispose();
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

        refuse |= _programs.Count == MaxPrograms; // so many have a serial of their own
        Reached.Note(refuse ? 62 : 63, open);
        Span<byte> frame = stackalloc byte[VsockAnswer.FrameBytes];
        _ = new VsockAnswer(_asked, !refuse).Encode(frame);
        if (refuse)
        {
            _ = UnixSocket.Send(_control.Number, frame, []);
        }
        else
        {
            int socket = Connect(_ports[_asked]);
            _ = UnixSocket.Send(_control.Number, frame, [socket]);
            _ = FdIo.Close(socket);
        }

        _asked = -1;
    }

    private int Connect(uint port)
    {
        (FdHandle device, FdHandle end) = SocketBuffers.CreateSmallPair();
        _programs.Add(new VsockProgram(end, port, (byte)(_programs.Count + 1)));
        return device.Take();
    }
}
