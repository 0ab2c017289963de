namespace Sandbox.Device.Net;

/// <summary>
/// Which pair of queues the driver sent a flow's frames on last: its answers go there (virtio 1.2 §5.1.6.5.5, automatic receive steering). Of a
/// fixed size, whatever a guest sends: flows that meet in an entry share a queue.
/// </summary>
internal sealed class FlowTable
{
    internal const int EntryCount = 1024;

    private readonly byte[] _pairs = new byte[EntryCount]; // and one: 0 is a flow that nothing was sent of

    public void Learn(uint flow, int pair) => _pairs[flow % EntryCount] = (byte)(pair + 1);

    /// <summary>A pair below <paramref name="pairsInUse"/>; flows that the driver did not begin are spread.</summary>
    public int PairOf(uint flow, int pairsInUse)
    {
        int learned = _pairs[flow % EntryCount] - 1;
        return learned >= 0 && learned < pairsInUse ? learned : (int)((flow >> 16) % (uint)pairsInUse);
    }

    public void Clear() => Array.Clear(_pairs);
}
