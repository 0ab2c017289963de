using Sandbox.Device.Vsock;

namespace Sandbox.Unit.Tests.Device;

/// <summary>Resets that wait for the guest.</summary>
public sealed class ResetQueueTests
{
    [Fact]
    public void Drop_OfAPair_KeepsTheOthersInOrder()
    {
        ResetQueue resets = new();
        for (uint round = 0; round < 100; round++) // round the ring
        {
            resets.Add(new PendingReset(2, 5000, round));
            resets.Add(new PendingReset(2, 5000, 7777));
            resets.Add(new PendingReset(2, 5001, 7777));
            resets.Drop(5000, 7777);
            Assert.Equal(2, resets.Count);
            Assert.Equal(new PendingReset(2, 5000, round), resets.Take());
            Assert.Equal(new PendingReset(2, 5001, 7777), resets.Take());
        }
    }
}
