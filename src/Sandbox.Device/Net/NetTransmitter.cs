using Sandbox.Memory;
using Sandbox.Virtio;
using Sandbox.Virtio.Net;

namespace Sandbox.Device.Net;

/// <summary>From the guest to the network (virtio 1.2 §5.1.6.2): each frame is copied once, and the copy is judged and sent.</summary>
/// <param name="backing">Where frames go.</param>
/// <param name="own">The address that the guest has.</param>
/// <param name="guarded">The other end is a program of the host that connects for the guest: its own addresses are closed.</param>
/// <param name="maxFrameBytes">The longest frame that is no segment to be cut.</param>
/// <param name="rate">Bytes a second.</param>
/// <param name="drops">Counts what went nowhere.</param>
internal sealed class NetTransmitter(NetBacking backing, MacAddress own, bool guarded, int maxFrameBytes, TokenBucket rate, NetDrops drops)
{
    private const int FramesPerTurn = 128;

    private readonly DescriptorChain _chain = new();
    private readonly byte[] _header = new byte[NetHeader.SizeBytes];

    /// <summary>Frames wait for room in the backing.</summary>
    public bool WaitsForBacking { get; private set; }

    /// <summary>Frames wait for this long, in milliseconds; -1: for nothing.</summary>
    public int WaitMilliseconds { get; private set; }

    public ulong Features { get; set; }

    /// <summary>True when there is more and nothing stands in its way.</summary>
    public bool Work(DeviceQueue queue)
    {
        WaitsForBacking = !backing.Flush();
        WaitMilliseconds = -1;
        queue.Ring.SuppressKicks();
        int done = 0;
        for (; done < FramesPerTurn && queue.Ring.HasAvailable && !MustWait(); done++)
        {
            if (!queue.Ring.TryPop(_chain))
            {
                break;
            }

            rate.Take((long)_chain.Readable.LengthBytes);
            Send(_chain.Readable);
            queue.Ring.Complete(_chain.HeadIndex, 0);
        }

        WaitsForBacking |= !backing.Flush();
        _chain.Clear();
        return done == FramesPerTurn || (!WaitsForBacking && WaitMilliseconds < 0 && queue.Ring.EnableKicks());
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

    private void Send(GuestVector packet)
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
            backing.Send(header, frame.Length);
        }
    }
}
