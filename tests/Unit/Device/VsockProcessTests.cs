using Sandbox.Control.Launch;
using Sandbox.Device.Vsock;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.Virtio;
using Sandbox.Virtio.Vsock;

namespace Sandbox.Unit.Tests.Device;

/// <summary>The real process, under its filter, with the test in the launcher's place.</summary>
public sealed class VsockProcessTests : IDisposable
{
    private const uint AgentPort = 1024;
    private const uint Port = 5000;
    private const int Place = 1;
    private const int PatienceMilliseconds = 60_000;
    private const int RxBytes = 4096;

    private readonly TestGuest _guest = new();
    private readonly FdHandle _receiveKick = EventFd.Create();
    private readonly FdHandle _transmitKick = EventFd.Create();
    private readonly FdHandle _call = EventFd.Create();
    private readonly FdHandle _agent;
    private readonly FdHandle _agentInDevice;
    private readonly FdHandle _first;
    private readonly FdHandle _firstInDevice;
    private readonly DriverQueue _receive;
    private readonly DriverQueue _transmit;
    private readonly Dictionary<uint, GuestAddress> _rooms = [];

    public VsockProcessTests()
    {
        (_agent, _agentInDevice) = UnixSocket.CreatePair();
        (_first, _firstInDevice) = UnixSocket.CreatePair();
        _receive = new DriverQueue(_guest, 256);
        _transmit = new DriverQueue(_guest, 256);
    }

    public void Dispose()
    {
        _agent.Dispose();
        _agentInDevice.Dispose();
        _first.Dispose();
        _firstInDevice.Dispose();
        _receiveKick.Dispose();
        _transmitKick.Dispose();
        _call.Dispose();
        _guest.Dispose();
    }

    [Fact]
    public void Connections_OneAfterTheOther_KeepTheSameFdsAndPages()
    {
        using DeviceProcess process = Start([AgentPort, Port]);
        Connect(process, 100, first: true);
        Exchange(100, _first);
        int fds = Fds(process);
        long pages = 0;
        for (uint guest = 101; guest < 101 + 600; guest++)
        {
            using FdHandle program = Connect(process, guest);
            Exchange(guest, program);
            Send(VsockOperation.Shutdown, guest, VsockShutdown.Both);
            Assert.Equal(VsockOperation.Reset, Take().Operation);
            Assert.Equal(0, FdIo.Read(program.Number, new byte[1]));
            pages = guest == 110 ? PrivateBytes(process) : pages;
        }

        Assert.Equal(fds, Fds(process));
        Assert.InRange(PrivateBytes(process) - pages, long.MinValue, 64 * 1024);
        Exchange(100, _first); // the first has been there all the time
        Assert.False(process.HasEnded);
    }

    [Fact]
    public void Connections_AsManyAtOnceAsThereAreSlots_ThenOneIsReset()
    {
        using DeviceProcess process = Start([AgentPort, Port]);
        Connect(process, 100, first: true);
        List<FdHandle> programs = [_first];
        for (uint guest = 101; guest <= 100 + VsockDevice.Slots; guest++)
        {
            programs.Add(Connect(process, guest));
        }

        Send(VsockOperation.Request, 500);
        VsockPacketHeader reset = Take();
        Assert.Equal((VsockOperation.Reset, 500u), (reset.Operation, reset.DestinationPort));
        for (int index = 0; index < programs.Count; index++)
        {
            Exchange(100 + (uint)index, programs[index]);
        }

        programs.ForEach(static program => program.Dispose());
        Assert.False(process.HasEnded);
    }

    public static TheoryData<string> Unasked => ["vsock with a port", "vsock with the agent's alone", "entropy"];

    [Theory]
    [MemberData(nameof(Unasked))]
    public void Launcher_AnswersWhatWasNotAsked_ProcessEnds(string kind)
    {
        using DeviceProcess process = kind == "entropy"
            ? DeviceProcess.Start(new DeviceLaunchSpec { Kind = DeviceKind.Entropy })
            : Start(kind == "vsock with a port" ? [AgentPort, Port] : [AgentPort]);
        _ = kind == "entropy" ? process.ReceiveControl(out _) : 0;
        Answer(process).Dispose();
        Assert.Equal((int)EndReason.LauncherGone, process.WaitForExit().Code);
    }

    private DeviceProcess Start(uint[] ports)
    {
        FdHandle[] sockets = ports.Length == 1 ? [_agentInDevice] : [_agentInDevice, _firstInDevice];
        DeviceProcess process = DeviceProcess.Start(new DeviceLaunchSpec { Kind = DeviceKind.Vsock, GuestCid = 3, VsockPorts = ports }, sockets);
        Array.ForEach(sockets, static socket => socket.Dispose()); // so that the process's end is the last
        Assert.Equal(LaunchMessageType.Ready, process.ReceiveControl(out _));
        process.Frontend.Negotiate(_guest, VirtioFeatureBits.RingEventIndex);
        for (int index = 0; index < 128; index++)
        {
            GiveRoom(_guest.Allocate(RxBytes));
        }

        process.Frontend.StartRing(0, _receive, _receiveKick.Number, _call.Number);
        process.Frontend.StartRing(1, _transmit, _transmitKick.Number, _call.Number);
        return process;
    }

    private FdHandle Connect(DeviceProcess process, uint guest, bool first = false)
    {
        Send(VsockOperation.Request, guest);
        FdHandle program = _first;
        if (!first)
        {
            Assert.Equal(LaunchMessageType.VsockConnect, process.ReceiveControl(out byte[] content));
            Assert.Equal(LaunchFault.None, VsockConnect.Decode(content, out VsockConnect question));
            Assert.Equal(Place, question.Port);
            program = Answer(process);
        }

        VsockPacketHeader response = Take();
        Assert.Equal((VsockOperation.Response, guest, Port), (response.Operation, response.DestinationPort, response.SourcePort));
        return program;
    }

    private static FdHandle Answer(DeviceProcess process)
    {
        (FdHandle program, FdHandle socket) = UnixSocket.CreatePair();
        using (socket)
        {
            Assert.Equal(0, FdIo.SetNonBlocking(socket.Number, true));
            byte[] frame = new byte[VsockAnswer.FrameBytes];
            _ = new VsockAnswer(Place, true).Encode(frame);
            Assert.Equal(frame.Length, UnixSocket.Send(process.Control.Number, frame, [socket.Number]));
        }

        return program;
    }

    private void Exchange(uint guest, FdHandle program)
    {
        byte[] got = new byte[4];
        byte mark = unchecked((byte)guest);
        Send(VsockOperation.Data, guest, data: [1, mark]);
        Assert.Equal(2, FdIo.Read(program.Number, got));
        Assert.Equal(mark, got[1]);
        Assert.Equal(1, FdIo.Write(program.Number, [mark]));
        VsockPacketHeader header = Take();
        Assert.Equal((VsockOperation.Data, guest), (header.Operation, header.DestinationPort));
    }

    private void Send(VsockOperation operation, uint guest, VsockShutdown flags = VsockShutdown.None, params ReadOnlySpan<byte> data)
    {
        byte[] packet = new byte[VsockPacketHeader.SizeBytes + data.Length];
        new VsockPacketHeader(3, 2, guest, Port, (uint)data.Length, VsockPacketHeader.StreamType, operation, flags, 1 << 20, 0).Encode(packet);
        data.CopyTo(packet.AsSpan(VsockPacketHeader.SizeBytes));
        _ = _transmit.Add(new DriverBuffer(_guest.Place(packet), (uint)packet.Length, false));
        _ = EventFd.Signal(_transmitKick.Number);
        Await(() => _transmit.TryTakeUsed(out _, out _), $"the {operation} to be taken");
    }

    private VsockPacketHeader Take()
    {
        uint head = 0;
        Await(() => _receive.TryTakeUsed(out head, out _), "a packet");
        _ = _rooms.Remove(head, out GuestAddress room);
        VsockPacketHeader header = VsockPacketHeader.Decode(_guest.Read(room, VsockPacketHeader.SizeBytes));
        GiveRoom(room);
        _ = EventFd.Signal(_receiveKick.Number);
        return header;
    }

    private void GiveRoom(GuestAddress room) => _rooms[_receive.Add(new DriverBuffer(room, RxBytes, true))] = room;

    private static void Await(Func<bool> condition, string what)
    {
        for (int waited = 0; !condition(); waited++)
        {
            Assert.True(waited < PatienceMilliseconds, $"waited in vain for {what}");
            Thread.Sleep(waited < 10 ? 0 : 1);
        }
    }

    private static int Fds(DeviceProcess process) => Directory.GetFiles($"/proc/{process.Pid}/fd").Length;

    private static long PrivateBytes(DeviceProcess process) => File.ReadLines($"/proc/{process.Pid}/smaps_rollup")
        .Where(static line => line.StartsWith("Private_Dirty:", StringComparison.Ordinal))
        .Sum(static line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture) * 1024);
}
