using Sandbox.Memory;
using Sandbox.Virtio;
using Sandbox.Virtio.Net;

namespace Sandbox.Device.Net;

/// <summary>From the guest to the network (virtio 1.2 §5.1.6.2): each frame is copied once, and the copy is judged and sent.</summary>
/// <param name="backing">Where frames go.</param>
/// <param name="own">The address that the guest has.</param>
/// <param name="guarded">The other end is a program of the host that connects for the guest: its own addresses are closed.</param>
/// <param name="maxFrameBytes">The longest frame that is no segment to be cut.</param>
/// <param name="rate">Bytes a second, of all queues together.</param>
/// <param name="flows">Learns which queue a flow is sent on.</param>
/// <param name="drops">Counts what went nowhere.</param>
internal sealed class NetTransmitter(NetBacking backing, MacAddress own, bool guarded, int maxFrameBytes, TokenBucket rate, FlowTable flows, NetDrops drops)
{
    private const int FramesPerTurn = 128;

    private readonly DescriptorChain _chain = new();
    private readonly byte[] _header = new byte[NetHeader.SizeBytes];
    private int _firstPair;

    /// <summary>Frames wait for room in the backing.</summary>
    public bool WaitsForBacking { get; private set; }

    /// <summary>Frames wait for this long, in milliseconds; -1: for nothing.</summary>
    public int WaitMilliseconds { get; private set; }

    public ulong Features { get; set; }

    /// <summary>
    /// True when there is more and nothing stands in its way. Every queue that there is gets its turn, in use or not: a driver that takes pairs
    /// away may have left frames in their queues, and waits for them.
    /// </summary>
    public bool Work(NetQueues queues)
    {
        WaitsForBacking = !backing.Flush();
        WaitMilliseconds = -1;
        bool more = false;
        int firstPair = _firstPair % queues.Count;
        for (int step = 0, sent = 0; step < queues.Count; step++)
        {
            int pair = (firstPair + step) % queues.Count;
            int done = Work(queues.Transmit(pair).Ring, pair, steers: queues.InUse > 1);
            // Where there is room for few, the first takes it: next time it is who comes after the one that did.
            _firstPair = sent == 0 && done != 0 ? pair + 1 : _firstPair;
            sent += done;
            more |= done == FramesPerTurn;
        }

        WaitsForBacking |= !backing.Flush();
        _chain.Clear();
        return more || (!WaitsForBacking && WaitMilliseconds < 0 && EnableKicks(queues));
    }

    private int Work(SplitVirtqueue ring, int pair, bool steers)
    {
        ring.SuppressKicks();
        int done = 0;
        for (; done < FramesPerTurn && ring.HasAvailable && !MustWait(); done++)
        {
            if (!ring.TryPop(_chain))
            {
                break;
            }

            rate.Take((long)_chain.Readable.LengthBytes);
            Send(_chain.Readable, pair, steers);
            ring.Complete(_chain.HeadIndex, 0);
        }

        return done;
    }

    private static bool EnableKicks(NetQueues queues)
    {
        bool came = false;
        for (int pair = 0; pair < queues.Count; pair++)
        {
            came |= queues.Transmit(pair).Ring.EnableKicks();
        }

        return came;
    }

    private bool MustWait()
    {
        WaitsForBacking |= backing.Room.IsEmpty;
        if (!rate.MayGo())
        {
            WaitMilliseconds = rate.WaitMilliseconds;
        }

        return WaitsForBacking || WaitMilliseconds >= 0;
    }

    private void Send(GuestVector packet, int pair, bool steers)
    {
        if (!packet.TryTake(_header) || packet.LengthBytes > NetBacking.MaxFrameBytes)
        {
            drops.Count(NetDrop.Malformed);
            return;
        }

        Span<byte> frame = backing.Room[..(int)packet.LengthBytes];
        _ = packet.TryTake(frame); // exactly what is left
        if (!FrameRules.IsFrom(frame, own))
        {
            drops.Count(frame.Length < FrameRules.EthernetBytes ? NetDrop.Malformed : NetDrop.ForeignSource);
        }
        else if (guarded && !FrameRules.MayLeave(frame))
        {
            drops.Count(NetDrop.ForbiddenDestination);
        }
        else if (!OffloadRules.TryMakeSound(NetHeader.Decode(_header), frame, Features, out NetHeader header)
            || (header.Segmentation == NetSegmentation.None && frame.Length > maxFrameBytes))
        {
            drops.Count(NetDrop.Malformed);
        }
        else
        {
            if (steers)
            {
                flows.Learn(FlowHash.Of(frame), pair); // before it goes: the room is the next frame's then
            }

            backing.Send(header, frame.Length);
        }
    }
}
