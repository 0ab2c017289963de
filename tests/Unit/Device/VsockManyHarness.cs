using Sandbox.Control.Launch;
using Sandbox.Device;
using Sandbox.Device.Vsock;
using Sandbox.Linux;
using Sandbox.Virtio.Vsock;

namespace Sandbox.Unit.Tests.Device;

/// <summary>The agent's port, a port with slots for more connections, whose first socket is there, and another port without one; the test is the launcher.</summary>
internal sealed class VsockManyHarness : VsockHarness
{
    internal const uint Port = 5000;
    internal const uint OtherPort = 5001;
    internal const int Place = 1;
    internal const int OtherPlace = 2;

    private readonly VsockConnection[] _slots;
    private readonly FdHandle _deviceControl;

    private VsockManyHarness(VsockConnection[] slots, FdHandle deviceControl, ControlSocket control)
        : base(rxBuffers: 16, more: slots, requests: new SocketRequests(control, [HostPort, Port, OtherPort]))
    {
        (_slots, _deviceControl) = (slots, deviceControl);
    }

    /// <summary>The launcher's end of the control socket.</summary>
    internal FdHandle Control { get; private init; } = null!;

    /// <summary>The program's end of the port's first socket.</summary>
    internal FdHandle First { get; private init; } = null!;

    /// <summary>The device has heard something after which its process ends.</summary>
    internal bool HasEnded { get; private set; }

    /// <param name="slots">Beside the first.</param>
    internal static VsockManyHarness Create(int slots)
    {
        (FdHandle control, FdHandle deviceControl) = UnixSocket.CreatePair();
        Assert.Equal(0, FdIo.SetNonBlocking(control.Number, true));
        (FdHandle first, int socket) = Pair();
        VsockConnection[] all = new VsockConnection[slots + 1];
        all[0] = VsockConnection.Slot(Port, socket);
        VsockConnection.FillSlots(all.AsSpan(1));
        ControlSocket deviceEnd = new(deviceControl.Number);
        deviceEnd.ExpectAnswers();
        return new VsockManyHarness(all, deviceControl, deviceEnd) { Control = control, First = first };
    }

    internal static VsockPacketHeader Of(uint guestPort, VsockOperation operation, uint length = 0, uint hostPort = Port) =>
        Header(operation, length) with { SourcePort = guestPort, DestinationPort = hostPort };

    /// <summary>A socket that does not block, for the device, and the program's end of it.</summary>
    internal static (FdHandle Program, int Socket) Pair()
    {
        (FdHandle program, FdHandle socket) = UnixSocket.CreatePair();
        Assert.Equal(0, FdIo.SetNonBlocking(program.Number, true));
        Assert.Equal(0, FdIo.SetNonBlocking(socket.Number, true));
        return (program, socket.Take());
    }

    /// <summary>The place of the port that the device asks for; -1: it does not ask.</summary>
    internal int TakeQuestion()
    {
        byte[] frame = new byte[VsockConnect.FrameBytes];
        if (FdIo.Read(Control.Number, frame) != frame.Length)
        {
            return -1;
        }

        Assert.Equal(LaunchFault.None, LaunchFrame.ReadHeader(frame, out LaunchMessageType type, out int bytes));
        Assert.Equal((LaunchMessageType.VsockConnect, frame.Length - LaunchFrame.HeaderBytes), (type, bytes));
        Assert.Equal(LaunchFault.None, VsockConnect.Decode(frame.AsSpan(LaunchFrame.HeaderBytes), out VsockConnect connect));
        return connect.Port;
    }

    /// <summary>Answers with a socket. The program's end.</summary>
    internal FdHandle Answer(int place = Place)
    {
        (FdHandle program, int socket) = Pair();
        using FdHandle sent = new(socket);
        Say(new VsockAnswer(place, true), sent.Number);
        return program;
    }

    internal void Say(VsockAnswer answer, params ReadOnlySpan<int> fds)
    {
        byte[] frame = new byte[VsockAnswer.FrameBytes];
        _ = answer.Encode(frame);
        Assert.Equal(frame.Length, UnixSocket.Send(Control.Number, frame, fds));
        Turn();
    }

    /// <summary>A guest program's connection, with a socket of the launcher's. The program's end.</summary>
    internal FdHandle Connect(uint guestPort, int place = Place, uint hostPort = Port)
    {
        Send(Of(guestPort, VsockOperation.Request, hostPort: hostPort));
        Assert.Equal(place, TakeQuestion());
        ExpectNothing();
        FdHandle program = Answer(place);
        Assert.Equal((guestPort, hostPort), Ports(Expect(VsockOperation.Response)));
        GiveBuffers(1);
        return program;
    }

    /// <summary>The port's first, which is there.</summary>
    internal void ConnectFirst(uint guestPort)
    {
        Send(Of(guestPort, VsockOperation.Request));
        Assert.Equal((guestPort, Port), Ports(Expect(VsockOperation.Response)));
        Assert.Equal(-1, TakeQuestion());
        GiveBuffers(1);
    }

    /// <summary>The guest's program closes its connection; it is told that this is well.</summary>
    internal void Close(uint guestPort, uint hostPort = Port)
    {
        Send(Of(guestPort, VsockOperation.Shutdown, hostPort: hostPort) with { Flags = VsockShutdown.Both });
        Assert.Equal((guestPort, hostPort), Ports(Expect(VsockOperation.Reset)));
        GiveBuffers(1);
        while (Transmit.TryTakeUsed(out _, out _))
        {
        }
    }

    internal static (uint Guest, uint Host) Ports(VsockPacketHeader header) => (header.DestinationPort, header.SourcePort);

    /// <summary>Nobody has the device's end any more, or only a process that another test is starting, until its exec.</summary>
    internal static void ExpectClosed(FdHandle program)
    {
        Assert.True(
            SpinWait.SpinUntil(() => Poll.Wait(program.Number, PollEvents.Readable, 0, out PollEvents found) == 1 && (found & PollEvents.HangUp) != 0, 10_000),
            "the device's end is still open");
        Assert.Equal(0, FdIo.Read(program.Number, new byte[1]));
        Assert.Equal(-(int)Errno.EPIPE, UnixSocket.Send(program.Number, "x"u8, []));
    }

    public override void Dispose()
    {
        base.Dispose();
        foreach (VsockConnection slot in _slots)
        {
            _ = slot.Socket >= 0 ? FdIo.Close(slot.Socket) : 0;
        }

        Control.Dispose();
        First.Dispose();
        _deviceControl.Dispose();
    }

    protected override void Hear()
    {
        while (!HasEnded && Poll.Wait(_deviceControl.Number, PollEvents.Readable, 0, out _) > 0)
        {
            HasEnded = !Device.TryHearLauncher();
        }
    }
}
