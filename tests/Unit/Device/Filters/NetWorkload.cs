using System.Buffers.Binary;
using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.Virtio.Net;

namespace Sandbox.Unit.Tests.Device.Filters;

/// <summary>Frames both ways within a rate, a network that is slow to read, and a guest without buffers.</summary>
internal sealed class NetWorkload : DeviceWorkload
{
    private const int FrameBytes = 60_000;
    private const int Frames = 6; // more than a socket holds

    private readonly FdHandle _network;
    private readonly FdHandle _backing;
    private readonly FdHandle _receiveKick = EventFd.Create();
    private readonly FdHandle _transmitKick = EventFd.Create();

    public NetWorkload() => (_network, _backing) = UnixSocket.CreatePair();

    protected override DeviceLaunchSpec Spec => new() { Kind = DeviceKind.Network, MacAddress = NetHarness.Own, Mtu = 65520, BytesPerSecond = 1L << 36 };

    protected override FdHandle[] Backings => [_backing];

    public override void Dispose()
    {
        _transmitKick.Dispose();
        _receiveKick.Dispose();
        _network.Dispose();
        _backing.Dispose();
        base.Dispose();
    }

    protected override void Drive()
    {
        DriverQueue receive = new(Guest, 16);
        DriverQueue transmit = new(Guest, 16);
        receive.Add(new DriverBuffer(Guest.Allocate(4096), 4096, true));
        Process.Frontend.StartRing(0, receive, _receiveKick.Number, Call.Number);
        Process.Frontend.StartRing(1, transmit, _transmitKick.Number, Call.Number);
        byte[] packet = new byte[NetHeader.SizeBytes + FrameBytes];
        NetHarness.Frame(bytes: FrameBytes).CopyTo(packet, NetHeader.SizeBytes);
        GuestAddress place = Guest.Place(packet);
        for (int count = 0; count < Frames; count++)
        {
            transmit.Add(new DriverBuffer(place, (uint)packet.Length, false));
        }

        EventFd.Signal(_transmitKick.Number);
        Settle(); // the socket is full
        for (int count = 0; count < Frames; count++)
        {
            Drain();
        }

        // Two frames for one buffer.
        byte[] frame = NetHarness.Frame(bytes: 100);
        byte[] bytes = new byte[4 + frame.Length];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)frame.Length);
        frame.CopyTo(bytes, 4);
        Assert.Equal(0, FdIo.WriteAll(_network.Number, bytes));
        Await(() => receive.TryTakeUsed(out _, out _), "a frame from the network");
        Assert.Equal(0, FdIo.WriteAll(_network.Number, bytes));
        Settle();
        receive.Add(new DriverBuffer(Guest.Allocate(4096), 4096, true));
        EventFd.Signal(_receiveKick.Number);
        Await(() => receive.TryTakeUsed(out _, out _), "a frame that waited for a buffer");
    }

    private void Drain()
    {
        byte[] bytes = new byte[4 + FrameBytes];
        for (int have = 0; have < bytes.Length;)
        {
            Await(() => Poll.Wait(_network.Number, PollEvents.Readable, 0, out _) == 1, "a frame from the guest");
            int count = FdIo.Read(_network.Number, bytes.AsSpan(have));
            have += count > 0 ? count : throw new EndOfStreamException("a frame from the guest");
        }
    }
}
