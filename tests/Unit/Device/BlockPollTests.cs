using Sandbox.Device;
using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.Virtio;

namespace Sandbox.Unit.Tests.Device;

/// <summary>A block device that looks for the next request before it sleeps.</summary>
public sealed class BlockPollTests
{
    // Requests that a driver posts one after the other, each when the one before is answered: as many as a turn serves.
    private const int Requests = 16;
    private const int SleepsBeforeTheFirstLook = 63;

    [Theory]
    [InlineData(0UL)]
    [InlineData(VirtioFeatureBits.RingEventIndex)]
    public async Task Request_WhileTheDeviceLooks_IsServedWithoutAKickInTheSameTurn(ulong features)
    {
        // The look goes on until it finds something.
        using BlockHarness disk = new(features: ~VirtioFeatureBits.RingEventIndex | features, poll: static _ => new KickPoll(int.MaxValue));
        GuestAddress data = disk.Guest.Allocate(512);
        for (int sleep = 0; sleep < SleepsBeforeTheFirstLook; sleep++)
        {
            Assert.False(disk.Device.Work());
        }

        Post(disk, data);
        Task<bool> turn = Task.Run(disk.Device.Work);
        for (int request = 1; request < Requests; request++)
        {
            Await(disk.Driver);
            Assert.Equal(features != 0, !disk.Driver.KicksSuppressed);
            Assert.Equal(0, disk.Driver.KickWantedAt); // with EVENT_IDX: passed long ago
            Post(disk, data);
        }

        Assert.False(await turn); // a turn ends, however busy its driver is
        Await(disk.Driver);
        Assert.False(disk.Driver.KicksSuppressed);
        Assert.Equal(features != 0 ? Requests : 0, disk.Driver.KickWantedAt);
    }

    private static void Post(BlockHarness disk, GuestAddress data) =>
        disk.Driver.Add(disk.Header(type: 0, sector: 1), new DriverBuffer(data, 512, true), disk.StatusBuffer);

    private static void Await(DriverQueue driver)
    {
        Assert.True(SpinWait.SpinUntil(driver.TryPeekUsed, TimeSpan.FromSeconds(30)));
        Assert.True(driver.TryTakeUsed(out _, out _));
    }
}
