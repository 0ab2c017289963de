using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.Virtio;

namespace Sandbox.Unit.Tests.Virtio;

public sealed class SplitVirtqueueTests : IDisposable
{
    private const ulong NoFeatures = VirtioFeatureBits.Version1;
    private const ulong EventIndex = NoFeatures | VirtioFeatureBits.RingEventIndex;

    private readonly TestGuest _guest = new();
    private readonly SplitVirtqueue _queue = new();
    private readonly DescriptorChain _chain = new();

    public void Dispose() => _guest.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(65535)]
    [InlineData(65533)] // the 16-bit indices wrap during the test
    public void TryPop_ChainsFromAnyBase_ComeInOrderAndGoBack(int start)
    {
        DriverQueue driver = Start(8, NoFeatures, (ushort)start);
        GuestAddress buffer = _guest.Allocate(64);
        for (int round = 0; round < 20; round++)
        {
            ushort head = driver.Add(new DriverBuffer(buffer, 4, false), new DriverBuffer(buffer, 8, true));
            Assert.True(_queue.TryPop(_chain));
            Assert.Equal(head, _chain.HeadIndex);
            Assert.Equal(4UL, _chain.Readable.LengthBytes);
            Assert.Equal(8UL, _chain.Writable.LengthBytes);
            Assert.False(driver.TryTakeUsed(out _, out _));
            _queue.Complete(head, 8);
            Assert.True(driver.TryTakeUsed(out uint id, out uint written));
            Assert.Equal((head, 8u), (id, written));
        }

        Assert.False(_queue.TryPop(_chain));
        Assert.Equal(driver.AvailableIndex, _queue.NextAvailableIndex);
    }

    [Fact]
    public void TakeCallNeeded_WithoutEventIndex_FollowsTheFlag()
    {
        DriverQueue driver = Start(8, NoFeatures);
        Assert.False(_queue.TakeCallNeeded());
        PopAndComplete(driver);
        Assert.True(_queue.TakeCallNeeded());
        Assert.False(_queue.TakeCallNeeded());
        driver.SuppressCalls(true);
        PopAndComplete(driver);
        Assert.False(_queue.TakeCallNeeded());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(65530)]
    public void TakeCallNeeded_WithEventIndex_TellsWhenTheIndexPassesTheWish(int start)
    {
        DriverQueue driver = Start(8, EventIndex, (ushort)start);
        PopAndComplete(driver);
        Assert.True(_queue.TakeCallNeeded()); // the first is always told
        driver.WantCallAt(unchecked((ushort)(start + 3)));
        PopAndComplete(driver);
        Assert.False(_queue.TakeCallNeeded());
        PopAndComplete(driver);
        Assert.False(_queue.TakeCallNeeded());
        PopAndComplete(driver); // used index is now start + 4: it passed start + 3
        Assert.True(_queue.TakeCallNeeded());
        PopAndComplete(driver);
        Assert.False(_queue.TakeCallNeeded());
    }

    [Fact]
    public void EnableKicks_WithoutEventIndex_ClearsTheFlagAndLooksAgain()
    {
        DriverQueue driver = Start(8, NoFeatures);
        _queue.SuppressKicks();
        Assert.True(driver.KicksSuppressed);
        Assert.False(_queue.EnableKicks());
        Assert.False(driver.KicksSuppressed);
        driver.Add(new DriverBuffer(new GuestAddress(0), 1, false));
        Assert.True(_queue.EnableKicks());
    }

    [Fact]
    public void EnableKicks_WithEventIndex_NamesTheNextEntry()
    {
        DriverQueue driver = Start(8, EventIndex);
        PopAndComplete(driver);
        Assert.Equal(0, driver.KickWantedAt);
        Assert.False(_queue.EnableKicks());
        Assert.Equal(1, driver.KickWantedAt);
    }

    [Fact]
    public void PutBack_AfterPop_GivesTheSameChainAgain()
    {
        DriverQueue driver = Start(8, NoFeatures);
        ushort head = driver.Add(new DriverBuffer(new GuestAddress(0), 1, false));
        Assert.True(_queue.TryPop(_chain));
        _queue.PutBack(_chain);
        Assert.Equal(0, _queue.InFlightCount);
        Assert.True(_queue.TryPop(_chain));
        Assert.Equal(head, _chain.HeadIndex);
    }

    [Fact]
    public void Stop_WithAChainInFlight_TouchesNothingAfterwards()
    {
        DriverQueue driver = Start(8, NoFeatures);
        driver.Add(new DriverBuffer(new GuestAddress(0), 1, false));
        Assert.True(_queue.TryPop(_chain));
        _queue.Stop();
        _queue.Complete(_chain.HeadIndex, 1);
        Assert.Equal(0, driver.UsedIndex);
        Assert.False(_queue.TakeCallNeeded());
        Assert.False(_queue.TryPop(_chain));
    }

    [Fact]
    public void PopAndComplete_ManyThousandChains_AllocatesNothing()
    {
        DriverQueue driver = Start(256, EventIndex);
        DriverBuffer[] buffers = [new(new GuestAddress(0), 16, false), new(new GuestAddress(64), 512, true), new(new GuestAddress(900), 1, true)];
        PopAndComplete(driver);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int round = 0; round < 200_000; round++)
        {
            driver.Add(buffers);
            if (!_queue.TryPop(_chain))
            {
                break;
            }

            _queue.Complete(_chain.HeadIndex, 513);
            _queue.TakeCallNeeded();
            _queue.EnableKicks();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(VirtqueueFault.None, _queue.Fault);
        Assert.Equal(unchecked((ushort)200_001), driver.UsedIndex);
    }

    private DriverQueue Start(ushort size, ulong features, ushort start = 0)
    {
        DriverQueue driver = new(_guest, size, start);
        Assert.Equal(VirtqueueFault.None, _queue.Configure(_guest.Memory, driver.Layout, features, start));
        return driver;
    }

    private void PopAndComplete(DriverQueue driver)
    {
        driver.Add(new DriverBuffer(new GuestAddress(0), 1, false));
        Assert.True(_queue.TryPop(_chain));
        _queue.Complete(_chain.HeadIndex, 0);
    }
}
