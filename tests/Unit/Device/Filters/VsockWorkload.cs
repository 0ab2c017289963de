using Sandbox.Control.Launch;
using Sandbox.Device.Vsock;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.Virtio;
using Sandbox.Virtio.Vsock;

namespace Sandbox.Unit.Tests.Device.Filters;

/// <summary>
/// A connection both ways, a launcher that is slow to read, and a half close in either direction; then one more, whose socket the launcher is asked for, and one
/// that it refuses.
/// </summary>
internal sealed class VsockWorkload : DeviceWorkload
{
    private const uint Port = 5000;
    private const uint GuestPort = 777;
    private const int PacketBytes = 60_000;
    private const int Packets = 4; // more than a socket holds, less than the device has promised room for

    private readonly FdHandle _launcher;
    private readonly FdHandle _backing;
    private readonly FdHandle _receiveKick = EventFd.Create();
    private readonly FdHandle _transmitKick = EventFd.Create();
    private DriverQueue _transmit = null!;

    public VsockWorkload() => (_launcher, _backing) = UnixSocket.CreatePair();

    protected override DeviceLaunchSpec Spec => new() { Kind = DeviceKind.Vsock, GuestCid = 3, VsockPorts = [Port] };

    protected override FdHandle[] Backings => [_backing];

    public override void Dispose()
    {
        _transmitKick.Dispose();
        _receiveKick.Dispose();
        _launcher.Dispose();
        _backing.Dispose();
        base.Dispose();
    }

    protected override void Drive()
    {
        DriverQueue receive = new(Guest, 16);
        _transmit = new DriverQueue(Guest, 16);
        for (int count = 0; count < 8; count++)
        {
            receive.Add(new DriverBuffer(Guest.Allocate(4096), 4096, true));
        }

        Process.Frontend.StartRing(0, receive, _receiveKick.Number, Call.Number);
        Process.Frontend.StartRing(1, _transmit, _transmitKick.Number, Call.Number);
        Send(VsockOperation.Request, VsockShutdown.None);
        AwaitUsed(receive, "the response");
        Assert.Equal(0, FdIo.WriteAll(_launcher.Number, "to the guest"u8));
        AwaitUsed(receive, "bytes from the launcher");
        for (int count = 0; count < Packets; count++)
        {
            Send(VsockOperation.Data, VsockShutdown.None, PacketBytes);
        }

        byte[] content = new byte[Packets * PacketBytes];
        ReadAll(content);
        Send(VsockOperation.Shutdown, VsockShutdown.Receive);
        Send(VsockOperation.Shutdown, VsockShutdown.Send);
        Settle();
        // Its backing is closed here too, so that the process's own end is the last.
        Await(() => FdIo.Read(_launcher.Number, new byte[1]) == 0, "the end of the stream");
        DriveAnother(receive);
    }

    private void DriveAnother(DriverQueue receive)
    {
        Send(VsockOperation.Request, VsockShutdown.None, guestPort: GuestPort + 1);
        TakeQuestion();
        (FdHandle program, FdHandle socket) = UnixSocket.CreatePair();
        using (program)
        using (socket)
        {
            Assert.Equal(0, FdIo.SetNonBlocking(socket.Number, true));
            Answer(connected: true, socket.Number);
        }

        AwaitUsed(receive, "the response to another");
        Send(VsockOperation.Shutdown, VsockShutdown.Both, guestPort: GuestPort + 1);
        AwaitUsed(receive, "the reset of another");
        Send(VsockOperation.Request, VsockShutdown.None, guestPort: GuestPort + 2);
        TakeQuestion();
        Answer(connected: false);
        AwaitUsed(receive, "the refusal");
    }

    private void TakeQuestion()
    {
        if (Process.ReceiveControl(out byte[] content) != LaunchMessageType.VsockConnect)
        {
            throw new EndOfStreamException("a question to the launcher");
        }

        Assert.Equal([0, 0], content);
    }

    private void Answer(bool connected, params ReadOnlySpan<int> fds)
    {
        byte[] frame = new byte[VsockAnswer.FrameBytes];
        _ = new VsockAnswer(0, connected).Encode(frame);
        _ = UnixSocket.Send(Process.Control.Number, frame, fds);
    }

    private void Send(VsockOperation operation, VsockShutdown flags, int bytes = 0, uint guestPort = GuestPort)
    {
        byte[] packet = new byte[VsockPacketHeader.SizeBytes + bytes];
        new VsockPacketHeader(3, 2, guestPort, Port, (uint)bytes, VsockPacketHeader.StreamType, operation, flags, 1 << 20, 0).Encode(packet);
        GuestAddress place = Guest.Place(packet);
        _transmit.Add(new DriverBuffer(place, (uint)packet.Length, false));
        EventFd.Signal(_transmitKick.Number);
        AwaitUsed(_transmit, $"the {operation} to be taken");
    }

    private void AwaitUsed(DriverQueue queue, string what) => Await(() => queue.TryTakeUsed(out _, out _), what);

    private void ReadAll(byte[] content)
    {
        for (int have = 0; have < content.Length;)
        {
            Await(() => Poll.Wait(_launcher.Number, PollEvents.Readable, 0, out _) == 1, "bytes from the guest");
            int count = FdIo.Read(_launcher.Number, content.AsSpan(have));
            have += count > 0 ? count : throw new EndOfStreamException("bytes from the guest");
        }
    }
}
