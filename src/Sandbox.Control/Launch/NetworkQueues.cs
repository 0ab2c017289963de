namespace Sandbox.Control.Launch;

/// <summary>How many virtqueues a network device has: launcher, VMM and device process must count alike.</summary>
public static class NetworkQueues
{
    /// <summary>virtio 1.2, 5.1.2: receive and transmit for each pair; with several, a control queue behind them.</summary>
    public static int Of(int pairs) => pairs == 1 ? 2 : (2 * pairs) + 1;
}
