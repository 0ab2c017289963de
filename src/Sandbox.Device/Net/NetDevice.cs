using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Virtio;
using Sandbox.Virtio.Net;

namespace Sandbox.Device.Net;

/// <summary>
/// virtio-net (virtio 1.2 §5.1) on a tap interface or on the stream of a program that speaks for the guest. It holds one fd and calls read and
/// write on it. Several pairs of queues spare a driver its locks; one thread and one fd serve them all.
/// </summary>
internal sealed class NetDevice : VirtioDevice
{
    private const int BackingIndex = 0;
    private const int LinkBytes = 14 + 4; // Ethernet and a VLAN tag, which the MTU does not count

    private readonly NetBacking _backing;
    private readonly BackingWatch _watch;
    private readonly NetQueues _pairs;
    private readonly FlowTable _flows = new();
    private readonly NetController? _controller;
    private readonly NetTransmitter _transmitter;
    private readonly NetReceiver _receiver;
    private readonly byte[] _configSpace = new byte[NetConfigSpace.SizeBytes];

    /// <param name="backing">The other end of the cable.</param>
    /// <param name="spec">Address, MTU, rate and pairs.</param>
    /// <param name="watch">Where to wait for the backing's fd.</param>
    /// <param name="kept">A file for what a successor must know, borrowed; -1 for none.</param>
    public NetDevice(NetBacking backing, DeviceLaunchSpec spec, BackingWatch watch, int kept = -1)
        : base(NetworkQueues.Of(spec.QueueCount))
    {
        _pairs = new NetQueues(Queues, new KeptPairs(kept));
        _backing = backing;
        _watch = watch;
        _controller = _pairs.MaxPairs > 1 ? new NetController() : null;
        MacAddress own = new(spec.MacAddress);
        Func<long> clock = spec.BytesPerSecond == 0 ? static () => 0 : TickClock.Start();
        _transmitter = new NetTransmitter(backing, own, guarded: backing is StreamBacking, spec.Mtu + LinkBytes, new TokenBucket(spec.BytesPerSecond, clock), _flows, Drops);
        _receiver = new NetReceiver(backing, new TokenBucket(spec.BytesPerSecond, clock), _flows, Drops);
        NetConfigSpace.Write(_configSpace, own, (ushort)spec.Mtu, (ushort)_pairs.MaxPairs);
    }

    public NetDrops Drops { get; } = new();

    public override ulong OfferedFeatures =>
        VirtioFeatureBits.Version1 | VirtioFeatureBits.RingIndirectDescriptors | VirtioFeatureBits.RingEventIndex
        | NetFeatureBits.Mac | NetFeatureBits.Mtu | NetFeatureBits.Status | NetFeatureBits.MergeableBuffers | _backing.Offloads
        | (_pairs.MaxPairs > 1 ? NetFeatureBits.ControlQueue | NetFeatureBits.MultiQueue : 0);

    public override ReadOnlySpan<byte> ConfigSpace => _configSpace;

    public override int WaitMilliseconds => (_transmitter.WaitMilliseconds, _receiver.WaitMilliseconds) switch
    {
        ( < 0, int receive) => receive,
        (int transmit, < 0) => transmit,
        (int transmit, int receive) => Math.Min(transmit, receive),
    };

    /// <summary>The device of a spec on an inherited fd.</summary>
    public static NetDevice Create(DeviceLaunchSpec spec, int fd, BackingWatch watch, int kept = -1)
    {
        LinuxException.Check(FdIo.SetNonBlocking(fd, true), "fcntl network backing");
        return new NetDevice(spec.NetBacking == NetBackingKind.Tap ? new TapBacking(fd) : new StreamBacking(fd), spec, watch, kept);
    }

    public override void FeaturesAgreed(ulong features)
    {
        _transmitter.Features = features;
        _receiver.Features = features;
        _pairs.FeaturesAgreed(features);
        _flows.Clear();
    }

    public override void QueueStarted(int index) => _pairs.Started(index);

    public override void QueueStopped(int index) => Watch();

    public override bool Work()
    {
        // Control first: an answered command holds for the frames after it.
        bool more = _controller is not null && _controller.Work(_pairs);
        more |= _transmitter.Work(_pairs);
        more |= _receiver.Work(_pairs);
        foreach (DeviceQueue queue in Queues)
        {
            queue.Notify();
        }

        Watch();
        return more;
    }

    private void Watch() => _watch.Set(
        BackingIndex,
        _backing.Fd,
        readable: _receiver.WaitsForBacking && _pairs.Receive(0).Ring.IsRunning,
        writable: _transmitter.WaitsForBacking);
}
