namespace Sandbox.Memory;

/// <summary>The one ordering that acquire and release do not give between this process and the guest's processors.</summary>
public static class GuestFence
{
    /// <summary>No earlier write passes a later read: needed between "used index written" and "does the driver want to hear of it?" (virtio 1.2 §2.7.14).</summary>
    public static void Full() => Interlocked.MemoryBarrier();
}
