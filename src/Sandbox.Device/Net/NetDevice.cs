using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Virtio;
using Sandbox.Virtio.Net;

namespace Sandbox.Device.Net;

/// <summary>virtio-net (virtio 1.2 §5.1) with one pair of queues, on a tap interface or on the stream of a program that speaks for the guest. It holds one fd and calls read and write on it.</summary>
internal sealed class NetDevice : VirtioDevice
{
    private const int ReceiveQueue = 0;
    private const int TransmitQueue = 1;
    private const int QueueCount = 2;
    private const int BackingIndex = 0;
    private const int LinkBytes = 14 + 4; // Ethernet and a VLAN tag, which the MTU does not count

    private readonly NetBacking _backing;
    private readonly BackingWatch _watch;
    private readonly NetTransmitter _transmitter;
    private readonly NetReceiver _receiver;
    private readonly byte[] _configSpace = new byte[NetConfigSpace.SizeBytes];

    /// <param name="backing">The other end of the cable.</param>
    /// <param name="spec">Address, MTU and rate.</param>
    /// <param name="watch">Where to wait for the backing's fd.</param>
    public NetDevice(NetBacking backing, DeviceLaunchSpec spec, BackingWatch watch)
        : base(QueueCount)
    {
        _backing = backing;
        _watch = watch;
        MacAddress own = new(spec.MacAddress);
        Func<long> clock = spec.BytesPerSecond == 0 ? static () => 0 : TickClock.Start();
        _transmitter = new NetTransmitter(backing, own, guarded: backing is StreamBacking, spec.Mtu + LinkBytes, new TokenBucket(spec.BytesPerSecond, clock), Drops);
        _receiver = new NetReceiver(backing, new TokenBucket(spec.BytesPerSecond, clock), Drops);
        NetConfigSpace.Write(_configSpace, own, (ushort)spec.Mtu);
    }

    public NetDrops Drops { get; } = new();

    public override ulong OfferedFeatures =>
        VirtioFeatureBits.Version1 | VirtioFeatureBits.RingIndirectDescriptors | VirtioFeatureBits.RingEventIndex
        | NetFeatureBits.Mac | NetFeatureBits.Mtu | NetFeatureBits.Status | NetFeatureBits.MergeableBuffers | _backing.Offloads;

    public override ReadOnlySpan<byte> ConfigSpace => _configSpace;

    public override int WaitMilliseconds => (_transmitter.WaitMilliseconds, _receiver.WaitMilliseconds) switch
    {
        ( < 0, int receive) => receive,
        (int transmit, < 0) => transmit,
        (int transmit, int receive) => Math.Min(transmit, receive),
    };

    /// <summary>The device of a spec on an inherited fd.</summary>
    public static NetDevice Create(DeviceLaunchSpec spec, int fd, BackingWatch watch)
    {
        LinuxException.Check(FdIo.SetNonBlocking(fd, true), "fcntl network backing");
        return new NetDevice(spec.NetBacking == NetBackingKind.Tap ? new TapBacking(fd) : new StreamBacking(fd), spec, watch);
    }

    public override void FeaturesAgreed(ulong features)
    {
        _transmitter.Features = features;
        _receiver.Features = features;
    }

    public override void QueueStopped(int index) => Watch();

    public override bool Work()
    {
        bool more = _transmitter.Work(Queues[TransmitQueue]);
        more |= _receiver.Work(Queues[ReceiveQueue]);
        Queues[TransmitQueue].Notify();
        Queues[ReceiveQueue].Notify();
        Watch();
        return more;
    }

    private void Watch() => _watch.Set(
        BackingIndex,
        _backing.Fd,
        readable: _receiver.WaitsForBacking && Queues[ReceiveQueue].Ring.IsRunning,
        writable: _transmitter.WaitsForBacking);
}
