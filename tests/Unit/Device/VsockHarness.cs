using Sandbox.Device;
using Sandbox.Device.Vsock;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.Virtio;
using Sandbox.Virtio.Vsock;

namespace Sandbox.Unit.Tests.Device;

/// <summary>A vsock device with one mapped port, the driver's queues, and the launcher's end of the port's socket.</summary>
internal class VsockHarness : IDisposable
{
    internal const uint GuestCid = 3;
    internal const uint HostPort = 1024;
    internal const uint GuestPort = 777;
    internal const uint RxBytes = 4096;

    private readonly TestGuest _guest = new();
    private readonly Epoll _epoll = new();
    private readonly FdHandle _deviceEnd;
    private readonly Dictionary<uint, GuestAddress> _rxBuffers = [];

    /// <param name="rxBuffers">Buffers that the driver gives at the beginning.</param>
    /// <param name="guestListens">The port is the guest's own.</param>
    /// <param name="more">Further connections.</param>
    /// <param name="requests">Who asks for their sockets.</param>
    internal VsockHarness(int rxBuffers = 16, bool guestListens = false, VsockConnection[]? more = null, SocketRequests? requests = null)
    {
        (FdHandle first, FdHandle second) = UnixSocket.CreatePair();
        _deviceEnd = first;
        Launcher = second;
        FdIo.SetNonBlocking(Launcher.Number, true);
        FdIo.SetNonBlocking(_deviceEnd.Number, true);
        VsockConnection port = new(guestListens ? GuestPort : HostPort, _deviceEnd.Number, guestListens);
        Device = new VsockDevice(GuestCid, [port, .. more ?? []], new BackingWatch(_epoll), guestListens ? () => Now : null, requests);
        Receive = new DriverQueue(_guest, 32);
        Transmit = new DriverQueue(_guest, 32);
        Assert.Equal(VirtqueueFault.None, Device.Queues[0].Ring.Configure(_guest.Memory, Receive.Layout, VirtioFeatureBits.Version1, 0));
        Assert.Equal(VirtqueueFault.None, Device.Queues[1].Ring.Configure(_guest.Memory, Transmit.Layout, VirtioFeatureBits.Version1, 0));
        GiveBuffers(rxBuffers);
    }

    /// <summary>What the device's clock says, in nanoseconds.</summary>
    internal long Now { get; set; }

    internal VsockDevice Device { get; }

    internal FdHandle Launcher { get; }

    internal DriverQueue Receive { get; }

    internal DriverQueue Transmit { get; }

    internal TestGuest Guest => _guest;

    internal void GiveBuffers(int count)
    {
        for (int index = 0; index < count; index++)
        {
            GuestAddress buffer = _guest.Allocate(RxBytes + VsockPacketHeader.SizeBytes);
            _rxBuffers[Receive.Add(new DriverBuffer(buffer, RxBytes + VsockPacketHeader.SizeBytes, true))] = buffer;
        }
    }

    internal static VsockPacketHeader Header(VsockOperation operation, uint length = 0) => new(
        GuestCid, 2, GuestPort, HostPort, length, VsockPacketHeader.StreamType, operation, VsockShutdown.None, 64 * 1024, 0);

    internal void Send(VsockPacketHeader header, ReadOnlySpan<byte> data = default)
    {
        byte[] packet = new byte[VsockPacketHeader.SizeBytes + data.Length];
        header.Encode(packet);
        data.CopyTo(packet.AsSpan(VsockPacketHeader.SizeBytes));
        SendRaw(packet);
    }

    internal void SendRaw(byte[] packet)
    {
        Transmit.Add(new DriverBuffer(_guest.Place(packet), (uint)packet.Length, false));
        Turn();
    }

    /// <summary>One round of the process's loop.</summary>
    internal void Turn()
    {
        Span<EpollReady> ready = stackalloc EpollReady[4];
        bool more;
        do
        {
            Hear();
            int count = _epoll.Wait(ready, 0);
            foreach (EpollReady entry in ready[..Math.Max(count, 0)])
            {
                const EpollEvents Gone = EpollEvents.HangUp | EpollEvents.Error;
                Device.BackingReady(LoopTag.IndexOf(entry.Tag), (entry.Events & (EpollEvents.Readable | Gone)) != 0, (entry.Events & (EpollEvents.Writable | Gone)) != 0);
            }

            more = Device.Work() || count > 0;
        }
        while (more);
    }

    /// <summary>What the launcher says comes first.</summary>
    protected virtual void Hear()
    {
    }

    /// <summary>The next packet that the guest got, and its data.</summary>
    internal bool TryTake(out VsockPacketHeader header, out byte[] data)
    {
        header = default;
        data = [];
        if (!Receive.TryTakeUsed(out uint head, out uint written))
        {
            return false;
        }

        byte[] packet = _guest.Read(_rxBuffers[head], (int)written);
        header = VsockPacketHeader.Decode(packet);
        data = packet[VsockPacketHeader.SizeBytes..];
        Assert.Equal((uint)data.Length, header.LengthBytes);
        return true;
    }

    internal VsockPacketHeader Expect(VsockOperation operation)
    {
        Assert.True(TryTake(out VsockPacketHeader header, out _), $"no packet where {operation} was expected");
        Assert.Equal(operation, header.Operation);
        return header;
    }

    internal void ExpectNothing() => Assert.False(TryTake(out _, out _));

    internal void Connect()
    {
        Send(Header(VsockOperation.Request));
        VsockPacketHeader response = Expect(VsockOperation.Response);
        Assert.Equal((2UL, (ulong)GuestCid, HostPort, GuestPort), (response.SourceCid, response.DestinationCid, response.SourcePort, response.DestinationPort));
        Assert.Equal((uint)VsockConnection.BufferBytes, response.BufferBytes);
    }

    internal int LauncherRead(Span<byte> buffer)
    {
        int total = 0;
        while (total < buffer.Length)
        {
            int count = FdIo.Read(Launcher.Number, buffer[total..]);
            if (count <= 0)
            {
                return total == 0 ? count : total;
            }

            total += count;
        }

        return total;
    }

    public virtual void Dispose()
    {
        Launcher.Dispose();
        _deviceEnd.Dispose();
        _epoll.Dispose();
        _guest.Dispose();
    }
}
