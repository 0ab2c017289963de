using System.Buffers.Binary;
using Sandbox.Control.Launch;
using Sandbox.Device;
using Sandbox.Device.Net;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.Virtio;
using Sandbox.Virtio.Net;

namespace Sandbox.Unit.Tests.Device;

/// <summary>A network device on a stream socket, the driver's queues, and the other end of the socket, where passt would be.</summary>
internal sealed class NetHarness : IDisposable
{
    internal const ulong Own = 0x02_00_00_00_00_01;
    internal const ulong Other = 0x02_00_00_00_00_02;
    internal const ulong Everything = ~0UL;

    private readonly TestGuest _guest = new();
    private readonly Epoll _epoll = new();
    private readonly FdHandle _deviceEnd;
    private readonly Dictionary<(int Pair, uint Head), (GuestAddress Address, uint Bytes)> _rxBuffers = [];
    private readonly DriverQueue[] _queues;

    internal NetHarness(ulong wanted = Everything, ushort queueSize = 64, long bytesPerSecond = 0, NetBacking? backing = null, int pairs = 1)
    {
        (FdHandle first, FdHandle second) = UnixSocket.CreatePair();
        _deviceEnd = first;
        Network = second;
        FdIo.SetNonBlocking(first.Number, true);
        DeviceLaunchSpec spec = new() { Kind = DeviceKind.Network, MacAddress = Own, Mtu = 65520, BytesPerSecond = bytesPerSecond, QueueCount = pairs };
        Device = new NetDevice(backing ?? new StreamBacking(first.Number), spec, new BackingWatch(_epoll));
        Features = Device.OfferedFeatures & wanted;
        Device.FeaturesAgreed(Features);
        _queues = [.. Device.Queues.Select(_ => new DriverQueue(_guest, queueSize))];
        for (int index = 0; index < QueueCount; index++)
        {
            StartQueue(index);
        }
    }

    /// <summary>As many as a driver sets up with the features agreed.</summary>
    internal int QueueCount
    {
        get
        {
            int pairs = (Features & NetFeatureBits.MultiQueue) != 0 ? Device.Queues.Length / 2 : 1;
            return (2 * pairs) + ((Features & NetFeatureBits.ControlQueue) != 0 ? 1 : 0);
        }
    }

    internal NetDevice Device { get; }

    internal ulong Features { get; }

    internal FdHandle Network { get; }

    internal DriverQueue Receive => _queues[0];

    internal DriverQueue Transmit => _queues[1];

    internal DriverQueue TransmitOf(int pair) => _queues[(2 * pair) + 1];

    internal DriverQueue Control => _queues[QueueCount - 1];

    /// <summary>Starts a queue from where its driver stands, as a frontend does.</summary>
    internal void StartQueue(int index)
    {
        Assert.Equal(VirtqueueFault.None, Device.Queues[index].Ring.Configure(_guest.Memory, _queues[index].Layout, Features, _queues[index].UsedIndex));
        Device.QueueStarted(index);
    }

    /// <summary>What the device answers to a command; null for nothing.</summary>
    internal byte? Command(params byte[] command)
    {
        GuestAddress answer = _guest.Place([0xEE]);
        Control.Add(new DriverBuffer(_guest.Place(command), (uint)command.Length, false), new DriverBuffer(answer, 1, true));
        Turn();
        return Control.TryTakeUsed(out _, out uint written) && written == 1 ? _guest.Read(answer, 1)[0] : null;
    }

    internal byte? UsePairs(int pairs)
    {
        byte[] command = new byte[NetControl.CommandBytes];
        NetControl.WriteSetPairs(command, (ushort)pairs);
        return Command(command);
    }

    internal TestGuest Guest => _guest;

    internal void GiveBuffers(int count, uint bytes, int pair = 0)
    {
        for (int index = 0; index < count; index++)
        {
            GuestAddress buffer = _guest.Allocate(bytes);
            _rxBuffers[(pair, _queues[2 * pair].Add(new DriverBuffer(buffer, bytes, true)))] = (buffer, bytes);
        }
    }

    /// <summary>An IPv4 packet in an Ethernet frame, as far as the device looks into it.</summary>
    internal static byte[] Frame(ulong source = Own, string destination = "198.51.100.7", int bytes = 60, ushort type = EtherTypes.IPv4)
    {
        byte[] frame = new byte[bytes];
        new MacAddress(Other).Write(frame);
        new MacAddress(source).Write(frame.AsSpan(6));
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), type);
        if (bytes >= 34)
        {
            frame[14] = 0x45;
            destination.Split('.').Select(byte.Parse).ToArray().CopyTo(frame, 30);
        }

        for (int index = 34; index < bytes; index++)
        {
            frame[index] = (byte)(index & byte.MaxValue);
        }

        return frame;
    }

    internal void Send(byte[] frame, NetHeader header = default, int pair = 0)
    {
        byte[] packet = new byte[NetHeader.SizeBytes + frame.Length];
        header.Encode(packet);
        frame.CopyTo(packet, NetHeader.SizeBytes);
        SendRaw(packet, pair);
    }

    internal void SendRaw(byte[] packet, int pair = 0)
    {
        TransmitOf(pair).Add(new DriverBuffer(_guest.Place(packet), (uint)packet.Length, false));
        Turn();
        Assert.True(TransmitOf(pair).TryTakeUsed(out _, out uint written));
        Assert.Equal(0u, written);
    }

    /// <summary>What the other end got next; empty when nothing.</summary>
    internal byte[] Arrived()
    {
        byte[] prefix = new byte[4];
        FdIo.SetNonBlocking(Network.Number, true);
        if (FdIo.Read(Network.Number, prefix) != 4)
        {
            return [];
        }

        byte[] frame = new byte[BinaryPrimitives.ReadUInt32BigEndian(prefix)];
        FdIo.SetNonBlocking(Network.Number, false);
        Assert.Equal(frame.Length, FdIo.ReadFull(Network.Number, frame));
        return frame;
    }

    internal void Put(byte[] frame)
    {
        byte[] bytes = new byte[4 + frame.Length];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)frame.Length);
        frame.CopyTo(bytes, 4);
        PutRaw(bytes);
    }

    internal void PutRaw(ReadOnlySpan<byte> bytes)
    {
        Assert.Equal(0, UnixSocket.SendAll(Network.Number, bytes));
        Turn();
    }

    /// <summary>The next packet that the guest got, over all of its buffers; null when none.</summary>
    internal (NetHeader Header, byte[] Frame)? Take(int pair = 0)
    {
        DriverQueue receive = _queues[2 * pair];
        if (!receive.TryTakeUsed(out uint head, out uint written))
        {
            return null;
        }

        byte[] first = _guest.Read(_rxBuffers[(pair, head)].Address, (int)written);
        NetHeader header = NetHeader.Decode(first);
        List<byte> frame = [.. first[NetHeader.SizeBytes..]];
        for (int index = 1; index < header.BufferCount; index++)
        {
            Assert.True(receive.TryTakeUsed(out head, out written), $"buffer {index} of {header.BufferCount} is missing");
            frame.AddRange(_guest.Read(_rxBuffers[(pair, head)].Address, (int)written));
        }

        return (header, frame.ToArray());
    }

    /// <summary>One round of the process's loop.</summary>
    internal void Turn()
    {
        Span<EpollReady> ready = stackalloc EpollReady[4];
        bool more;
        do
        {
            int count = _epoll.Wait(ready, 0);
            more = Device.Work() || count > 0;
        }
        while (more);
    }

    /// <summary>Whether the loop would be woken by the other end.</summary>
    internal bool IsWoken
    {
        get
        {
            Span<EpollReady> ready = stackalloc EpollReady[4];
            return _epoll.Wait(ready, 0) > 0;
        }
    }

    public void Dispose()
    {
        Network.Dispose();
        _deviceEnd.Dispose();
        _epoll.Dispose();
        _guest.Dispose();
    }
}
