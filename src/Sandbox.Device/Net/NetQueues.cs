using Sandbox.Virtio;
using Sandbox.Virtio.Net;

namespace Sandbox.Device.Net;

/// <summary>
/// Which queue is what (virtio 1.2 §5.1.2: a receive and a transmit queue for each pair, the control queue last), and which pairs the driver uses.
/// </summary>
/// <remarks>
/// Some frontends (QEMU) keep the control queue to themselves: then the backend sees MQ without CTRL_VQ, and a pair is in use when the frontend
/// has enabled its rings.
/// </remarks>
/// <param name="queues">All that the device has: two, or an odd number with the control queue.</param>
/// <param name="kept">What outlives this process.</param>
internal sealed class NetQueues(DeviceQueue[] queues, KeptPairs kept)
{
    private const int Unknown = 0;

    private bool _hasControl;
    private int _chosen = Unknown;

    /// <summary>max_virtqueue_pairs.</summary>
    public int MaxPairs { get; } = queues.Length / 2;

    /// <summary>Pairs that this driver knows of: one unless it took MQ.</summary>
    public int Count { get; private set; } = 1;

    /// <summary>Received frames may go to so many pairs, the first ones: one until the driver says more (§5.1.6.5.5.2).</summary>
    public int InUse => _hasControl ? Math.Max(_chosen, 1) : Count;

    /// <summary>The control queue; null where the driver has none with this process. Without MQ it follows the one pair (§5.1.2).</summary>
    public DeviceQueue? Control => _hasControl ? queues[2 * Count] : null;

    public DeviceQueue Receive(int pair) => queues[2 * pair];

    public DeviceQueue Transmit(int pair) => queues[(2 * pair) + 1];

    public void FeaturesAgreed(ulong features)
    {
        _hasControl = (features & NetFeatureBits.ControlQueue) != 0;
        Count = (features & NetFeatureBits.MultiQueue) != 0 ? MaxPairs : 1;
        _chosen = Unknown;
    }

    /// <summary>
    /// A ring runs. The control queue's own used index tells whether a driver has just begun, with one pair, or a predecessor has answered it:
    /// then what that one kept counts. A command that was not answered is in the ring and comes again. What is kept may be anything: one pair is
    /// always right, for a driver that uses more looks at the first too.
    /// </summary>
    public void Started(int index)
    {
        if (Control is not { } control || queues[index] != control || _chosen != Unknown)
        {
            return; // a ring that goes on, after a change of memory, has its driver's choice
        }

        int before = control.Ring.IsTakenOver ? kept.Value : 1;
        Choose(before >= 1 && before <= Count ? before : 1);
    }

    /// <summary>The driver's choice, before it is answered.</summary>
    /// <param name="pairs">1 to <see cref="Count"/>.</param>
    public void Choose(int pairs)
    {
        kept.Value = pairs;
        _chosen = pairs;
    }

    /// <summary>
    /// Whether a frame may wait for this pair's receive queue. Not for one that never held a buffer: a driver fills the queues of new pairs
    /// some time after it has chosen them, and the first pair's are there.
    /// </summary>
    public bool CanReceive(int pair)
    {
        SplitVirtqueue ring = Receive(pair).Ring;
        return ring.IsRunning && (ring.NextAvailableIndex != 0 || ring.HasAvailable);
    }
}
