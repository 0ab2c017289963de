using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.Virtio;

namespace Sandbox.Unit.Tests.Virtio;

/// <summary>A queue whose process dies between any two steps, and its successor (vhost-user, "Inflight I/O tracking").</summary>
public sealed class InFlightRecordTests : IDisposable
{
    private const ushort Size = 8;
    private const uint RecordBytes = 16 + (16 * Size);

    private readonly TestGuest _guest = new();
    private readonly FdHandle _file = MemFd.CreateSealed("records", 4096);
    private readonly GuestMemory _records;
    private readonly GuestSlice _region;
    private readonly DriverQueue _driver;
    private readonly DescriptorChain _chain = new();

    public InFlightRecordTests()
    {
        _records = GuestMemory.Map(_file.Number, [new GuestMemoryRegion(new GuestAddress(0), 4096, 0)]);
        Assert.True(_records.TryGetSlice(new GuestAddress(0), RecordBytes, out _region));
        _driver = new DriverQueue(_guest, Size);
    }

    public void Dispose()
    {
        _guest.Dispose();
        _records.Dispose();
        _file.Dispose();
    }

    [Fact]
    public void Successor_OfAProcessThatDiedInTheMiddle_DoesWhatWasInFlightInItsOrderAndThenGoesOn()
    {
        SplitVirtqueue first = Configure();
        ushort[] heads = [Offer(), Offer(), Offer(), Offer(), Offer()];
        for (int taken = 0; taken < 4; taken++)
        {
            Assert.True(first.TryPop(_chain));
        }

        first.Complete(heads[1], 7);

        SplitVirtqueue successor = Configure();
        Assert.True(successor.HasAvailable);
        Assert.Equal([heads[0], heads[2], heads[3], heads[4]], PopAll(successor));
        Assert.False(successor.HasAvailable);
    }

    [Fact]
    public void Successor_OfASuccessor_LosesNothing()
    {
        SplitVirtqueue first = Configure();
        ushort head = Offer();
        Assert.True(first.TryPop(_chain));
        for (int life = 0; life < 3; life++)
        {
            SplitVirtqueue next = Configure();
            Assert.True(next.TryPop(_chain));
            Assert.Equal(head, _chain.HeadIndex);
            Assert.Equal(1, next.NextAvailableIndex);
        }
    }

    [Theory]
    [InlineData(0)] // the used index has not moved: the chain is done again
    [InlineData(1)] // it has, and nothing is struck out yet: the driver has its answer
    public void ProcessThatDiedWhileItCompleted_IsJudgedByTheUsedIndex(int moved)
    {
        SplitVirtqueue first = Configure();
        ushort head = Offer();
        Assert.True(first.TryPop(_chain));
        _region.WriteUInt16Release(12, head); // named as the last batch
        _guest.Slice(_driver.Layout.UsedRing, 4).WriteUInt16Release(2, (ushort)moved);

        SplitVirtqueue successor = Configure();
        Assert.Equal(moved == 0 ? [head] : [], PopAll(successor));
        Assert.False(first.IsTakenOver);
        Assert.True(successor.IsTakenOver); // also at a used index of 0, which may be that of 65,536 chains
    }

    [Fact]
    public void ProcessThatDiedBeforeItStruckOutARecycledHead_DoesTheNewRequestOnce()
    {
        SplitVirtqueue first = Configure();
        ushort head = Offer();
        Assert.True(first.TryPop(_chain));
        first.Complete(head, 0);
        _region.WriteUInt32Release(16u + (16u * head), 1); // as before the striking out
        _region.WriteUInt16Release(14, 0);
        _driver.RawMakeAvailable(head); // the driver knows it is done and uses the descriptor again

        Assert.Equal([head], PopAll(Configure()));
    }

    [Fact]
    public void Chain_PutBack_IsNoLongerInFlight()
    {
        SplitVirtqueue first = Configure();
        ushort head = Offer();
        Assert.True(first.TryPop(_chain));
        first.PutBack(_chain);

        SplitVirtqueue successor = Configure();
        Assert.Equal(0, successor.NextAvailableIndex);
        Assert.True(successor.TryPop(_chain));
        SplitVirtqueue replaying = Configure();
        Assert.True(replaying.TryPop(_chain));
        replaying.PutBack(_chain);
        Assert.True(replaying.HasAvailable);
        Assert.Equal([head], PopAll(replaying));
    }

    [Theory]
    [InlineData(8, 2)] // another version
    [InlineData(10, 16)] // another size
    [InlineData(12, Size)] // a last batch that is no descriptor
    [InlineData(14, 0x8000)] // a batch larger than the queue
    public void Record_ThatCannotBe_StopsTheQueue(uint offset, int value)
    {
        SplitVirtqueue first = Configure();
        first.Complete(Take(first), 0);
        _region.WriteUInt16Release(14, 0); // as if the last batch were still to be struck out
        _region.WriteUInt16Release(offset, (ushort)value);

        SplitVirtqueue successor = new();
        Assert.Equal(VirtqueueFault.RecordInvalid, Set(successor));
        Assert.False(successor.TryPop(_chain));
    }

    [Fact]
    public void Record_OfRandomBytes_NeverThrowsAndNeverReachesBeyondTheQueue()
    {
        Random random = new(11);
        byte[] noise = new byte[RecordBytes];
        for (int round = 0; round < 20_000; round++)
        {
            random.NextBytes(noise);
            noise[8] = 1;
            noise[9] = 0;
            noise[10] = (byte)Size;
            noise[11] = 0;
            noise[12] &= Size - 1;
            noise[13] = 0;
            noise[14] = (byte)(random.Next(3) == 0 ? 0 : 0xFF); // used index 0: a batch of 0 or 1
            noise[15] = noise[14];
            _region.CopyFrom(0, noise);
            SplitVirtqueue successor = new();
            if (Set(successor) == VirtqueueFault.None)
            {
                while (successor.TryPop(_chain))
                {
                    Assert.True(_chain.HeadIndex < Size);
                }
            }
        }
    }

    [Fact]
    public void Record_SmallerThanItsQueue_StopsTheQueue()
    {
        InFlightRecord record = new();
        record.Attach(_region.Slice(0, RecordBytes - 16));
        SplitVirtqueue queue = new();
        Assert.Equal(VirtqueueFault.RecordInvalid, queue.Configure(_guest.Memory, _driver.Layout, 0, 0, record));
    }

    private ushort Offer() => _driver.Add(new DriverBuffer(_guest.Allocate(16), 16, false));

    private ushort Take(SplitVirtqueue queue)
    {
        _ = Offer();
        Assert.True(queue.TryPop(_chain));
        return _chain.HeadIndex;
    }

    private SplitVirtqueue Configure()
    {
        SplitVirtqueue queue = new();
        Assert.Equal(VirtqueueFault.None, Set(queue));
        return queue;
    }

    private VirtqueueFault Set(SplitVirtqueue queue)
    {
        InFlightRecord record = new();
        record.Attach(_region);
        return queue.Configure(_guest.Memory, _driver.Layout, 0, 0, record);
    }

    private List<ushort> PopAll(SplitVirtqueue queue)
    {
        List<ushort> heads = [];
        while (queue.TryPop(_chain))
        {
            heads.Add(_chain.HeadIndex);
        }

        Assert.Equal(VirtqueueFault.None, queue.Fault);
        return heads;
    }
}
