using Sandbox.Device.Block;
using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.Virtio;

namespace Sandbox.Unit.Tests.Device;

/// <summary>A disk with a rate to hold, by a clock that goes when the test says so.</summary>
public sealed class BlockRateTests
{
    private const uint In = 0;
    private const uint Out = 1;
    private const uint Flush = 4;
    private const uint Discard = 11;
    private const uint WriteZeroes = 13;
    private const long Millisecond = 1_000_000;
    private const int BurstBytes = 256 * 1024;
    private const int BurstOperations = 16;
    private const int RequestBytes = 16 * 1024;

    private long _now;

    [Theory]
    [InlineData(Out, Out)]
    [InlineData(In, In)]
    [InlineData(In, Out)] // both directions are one
    public void Bytes_InWhateverDirection_AreHeldToTheRate(uint first, uint second)
    {
        const int rate = 1 << 20;
        using BlockHarness disk = new(rate: new BlockRate(rate, 0, () => _now));
        GuestAddress data = disk.Guest.Allocate(RequestBytes);
        int moved = 0;
        for (int step = 0; step < 2000; step++)
        {
            disk.Driver.Add(disk.Header(step % 2 == 0 ? first : second, 0), new DriverBuffer(data, RequestBytes, (step % 2 == 0 ? first : second) == In), disk.StatusBuffer);
            while (!Answered(disk))
            {
                Assert.InRange(disk.Device.WaitMilliseconds, 1, 1000);
                _now += Millisecond;
            }

            moved += RequestBytes;
            Assert.InRange(moved, 0, BurstBytes + RequestBytes + (_now / Millisecond * rate / 1000));
            if (step == 100)
            {
                break;
            }
        }

        // And no less: 101 requests are 1.58 MiB, of which a quarter went at once.
        Assert.InRange(_now / Millisecond, 1200, 1400);
    }

    [Fact]
    public void Requests_OfEveryKind_AreHeldToTheRate()
    {
        using BlockHarness disk = new(rate: new BlockRate(0, 100, () => _now));
        GuestAddress data = disk.Guest.Allocate(512);
        for (int done = 0; done < BurstOperations; done++)
        {
            Assert.Equal(0, done % 2 == 0 ? disk.Run(disk.Header(Flush, 0), disk.StatusBuffer) : disk.Run(In, 0, data, 512, true));
        }

        Assert.Equal(-1, disk.Run(disk.Header(Flush, 0), disk.StatusBuffer));
        Assert.InRange(disk.Device.WaitMilliseconds, 9, 11);
        _now += 11 * Millisecond;
        Assert.True(Answered(disk));
        Assert.Equal(-1, disk.Device.WaitMilliseconds); // the ring is empty: only a kick wakes it
    }

    [Theory]
    [InlineData(WriteZeroes, false, true)]
    [InlineData(WriteZeroes, true, false)] // a hole
    [InlineData(Discard, false, false)]
    public void Zeroes_CountAsBytes_WhereTheyMayBeWritten(uint type, bool unmap, bool counts)
    {
        using BlockHarness disk = new(rate: new BlockRate(1000, 0, () => _now));
        byte[] range = new byte[16];
        range[8] = BlockHarness.Sectors;
        range[12] = unmap ? (byte)1 : (byte)0;
        GuestAddress list = disk.Guest.Place(range);
        int runs = 0;
        while (runs < 32 && disk.Run(type, 0, list, 16, false) == 0)
        {
            runs++;
        }

        Assert.Equal(counts ? BurstBytes / (BlockHarness.Sectors * 512) : 32, runs);
    }

    [Fact]
    public void Flush_OfOneQueue_IsNotHeldUpByAnother()
    {
        using BlockHarness disk = new(queueCount: 3, rate: new BlockRate(1 << 20, 0, () => _now));
        DriverQueue quiet = new(disk.Guest, 16);
        Assert.Equal(VirtqueueFault.None, disk.Device.Queues[2].Ring.Configure(disk.Guest.Memory, quiet.Layout, disk.Device.OfferedFeatures, 0));
        GuestAddress data = disk.Guest.Allocate(RequestBytes);
        DriverBuffer header = disk.Header(Out, 0);
        for (int count = 0; count < 64; count++)
        {
            disk.Driver.Add(header, new DriverBuffer(data, RequestBytes, false), disk.StatusBuffer); // far more than the burst
        }

        while (disk.Device.Work())
        {
        }

        quiet.Add(disk.Header(Flush, 0), new DriverBuffer(disk.Guest.Allocate(1), 1, true));
        int busyBefore = disk.Driver.UsedIndex;
        while (!quiet.TryTakeUsed(out _, out _))
        {
            Assert.InRange(disk.Driver.UsedIndex - busyBefore, 0, 3); // a round of the queues
            _now += Millisecond;
            _ = disk.Device.Work();
        }
    }

    [Fact]
    public void Queue_StoppedWhileItWaits_IsLetGoAndGoesOnLater()
    {
        using BlockHarness disk = new(rate: new BlockRate(1000, 0, () => _now));
        GuestAddress data = disk.Guest.Allocate(BlockHarness.Sectors * 512);
        int done = 0;
        while (disk.Run(Out, 0, data, BlockHarness.Sectors * 512, false) == 0)
        {
            done++;
        }

        Assert.Equal(BurstBytes / (BlockHarness.Sectors * 512), done);
        Assert.NotEqual(-1, disk.Device.WaitMilliseconds);
        ushort position = disk.Device.Queues[0].Ring.NextAvailableIndex;
        Assert.Equal(disk.Driver.AvailableIndex - 1, position); // what waits was never taken
        disk.Device.Queues[0].Ring.Stop();
        Assert.False(disk.Device.Work());
        Assert.Equal(-1, disk.Device.WaitMilliseconds);

        Assert.Equal(VirtqueueFault.None, disk.Device.Queues[0].Ring.Configure(disk.Guest.Memory, disk.Driver.Layout, disk.Device.OfferedFeatures, position));
        Assert.False(Answered(disk)); // a reset buys nothing
        _now += 40_000 * Millisecond;
        Assert.True(Answered(disk));
    }

    private static bool Answered(BlockHarness disk)
    {
        while (disk.Device.Work())
        {
        }

        return disk.Driver.TryTakeUsed(out _, out _);
    }
}
