using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.Virtio;

namespace Sandbox.Unit.Tests.Virtio;

/// <summary>What a hostile driver can do to a queue: each way ends in a fault, never in an exception, a wild access or a long loop.</summary>
public sealed class VirtqueueFaultTests : IDisposable
{
    private const ushort Size = 16;

    private readonly TestGuest _guest = new();
    private readonly SplitVirtqueue _queue = new();
    private readonly DescriptorChain _chain = new();
    private readonly DriverQueue _driver;
    private readonly ulong _buffer;

    public VirtqueueFaultTests()
    {
        _driver = new DriverQueue(_guest, Size);
        _buffer = _guest.Allocate(4096).Value;
        Configure(VirtioFeatureBits.Version1 | VirtioFeatureBits.RingIndirectDescriptors);
    }

    public void Dispose() => _guest.Dispose();

    [Fact]
    public void Museum02_SameHeadTwiceInFlight_IsRefused()
    {
        _driver.RawDescriptor(3, _buffer, 16, 0, 0);
        _driver.RawMakeAvailable(3);
        _driver.RawMakeAvailable(3);
        Assert.True(_queue.TryPop(_chain));
        AssertFault(VirtqueueFault.HeadInFlight);
    }

    [Theory]
    [InlineData(Size + 1)] // forward beyond the queue
    [InlineData(0xFFFF)] // back by one
    [InlineData(0x8000)]
    public void Museum04_AvailableIndexJumps_IsRefused(int index)
    {
        _driver.RawAvailableIndex((ushort)index);
        AssertFault(VirtqueueFault.AvailableIndexTooFar);
    }

    [Theory]
    [InlineData(Size)]
    [InlineData(0xFFFF)]
    public void TryPop_HeadBeyondTheTable_IsRefused(int head)
    {
        _driver.RawMakeAvailable((ushort)head);
        AssertFault(VirtqueueFault.HeadOutOfRange);
    }

    [Theory]
    [InlineData(0)] // to itself
    [InlineData(1)] // a cycle of two
    public void Museum05_DescriptorLoop_IsRefused(int second)
    {
        _driver.RawDescriptor(0, _buffer, 0, DriverQueue.Next, (ushort)second);
        _driver.RawDescriptor(1, _buffer, 0, DriverQueue.Next, 0);
        _driver.RawMakeAvailable(0);
        AssertFault(VirtqueueFault.ChainTooLong);
    }

    [Fact]
    public void Museum05_NextBeyondTheTable_IsRefused()
    {
        _driver.RawDescriptor(0, _buffer, 1, DriverQueue.Next, Size);
        _driver.RawMakeAvailable(0);
        AssertFault(VirtqueueFault.NextOutOfRange);
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(15u)]
    [InlineData(17u)]
    [InlineData(0xFFFF_FFF0u)]
    [InlineData((DescriptorChain.MaxDescriptors + 1u) * 16u)]
    public void Museum05_IndirectTableOfAnOddLength_IsRefused(uint lengthBytes)
    {
        _driver.RawDescriptor(0, _buffer, lengthBytes, DriverQueue.Indirect, 0);
        _driver.RawMakeAvailable(0);
        AssertFault(VirtqueueFault.IndirectLengthInvalid);
    }

    [Theory]
    [InlineData(DriverQueue.Indirect, VirtqueueFault.IndirectNested)]
    [InlineData(DriverQueue.Next, VirtqueueFault.ChainTooLong)] // points to itself
    public void Museum05_IndirectInsideIndirect_IsRefused(ushort flags, VirtqueueFault expected)
    {
        DriverQueue inner = new(_guest, 1); // its descriptor table serves as the indirect table
        inner.RawDescriptor(0, _buffer, 16, flags, 0);
        _driver.RawDescriptor(0, inner.Layout.DescriptorTable.Value, 16, DriverQueue.Indirect, 0);
        _driver.RawMakeAvailable(0);
        AssertFault(expected);
    }

    [Fact]
    public void TryPop_IndirectWithNext_IsRefused()
    {
        _driver.RawDescriptor(0, _buffer, 16, DriverQueue.Indirect | DriverQueue.Next, 1);
        _driver.RawMakeAvailable(0);
        AssertFault(VirtqueueFault.IndirectNested);
    }

    [Fact]
    public void TryPop_IndirectNotNegotiated_IsRefused()
    {
        Configure(VirtioFeatureBits.Version1);
        _driver.RawDescriptor(0, _buffer, 16, DriverQueue.Indirect, 0);
        _driver.RawMakeAvailable(0);
        AssertFault(VirtqueueFault.IndirectNotNegotiated);
    }

    [Theory]
    [InlineData(0UL, 0u)]
    [InlineData(1UL, 1u)] // one byte beyond the end of the region
    public void Museum06_BufferAtTheEndOfARegion_IsExact(ulong beyond, uint faulted)
    {
        _driver.RawDescriptor(0, TestGuest.LowBytes - 16 + beyond, 16, 0, 0);
        _driver.RawMakeAvailable(0);
        Assert.Equal(faulted == 0, _queue.TryPop(_chain));
        Assert.Equal(faulted == 0 ? VirtqueueFault.None : VirtqueueFault.BufferOutsideMemory, _queue.Fault);
    }

    [Theory]
    [InlineData(ulong.MaxValue, 2u)] // address + length wraps
    [InlineData(ulong.MaxValue - 15, 16u)]
    [InlineData(TestGuest.HighStart - 8, 16u)] // across the hole's end
    [InlineData(0xD000_0000UL, 4u)] // the window of a device's own registers (row 9)
    [InlineData(0UL, uint.MaxValue)]
    public void Museum06_BufferOutsideMemory_IsRefused(ulong address, uint lengthBytes)
    {
        _driver.RawDescriptor(0, address, lengthBytes, DriverQueue.Write, 0);
        _driver.RawMakeAvailable(0);
        AssertFault(VirtqueueFault.BufferOutsideMemory);
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(3u)]
    [InlineData(2048u)]
    [InlineData(32768u)]
    [InlineData(65536u)]
    [InlineData(uint.MaxValue)]
    public void Museum06_QueueSize_IsAPowerOfTwoWithinTheMaximum(uint size) =>
        Assert.Equal(VirtqueueFault.SizeInvalid, Configure(_driver.Layout with { Size = size }));

    [Theory]
    [InlineData(8UL, 0UL, 0UL)]
    [InlineData(0UL, 1UL, 0UL)]
    [InlineData(0UL, 0UL, 2UL)]
    public void Museum06_RingMisaligned_IsRefused(ulong descriptors, ulong available, ulong used)
    {
        VirtqueueLayout layout = _driver.Layout;
        Assert.Equal(VirtqueueFault.RingMisaligned, Configure(new VirtqueueLayout(
            layout.Size,
            new GuestAddress(layout.DescriptorTable.Value + descriptors),
            new GuestAddress(layout.AvailableRing.Value + available),
            new GuestAddress(layout.UsedRing.Value + used))));
    }

    [Theory]
    [InlineData(TestGuest.LowBytes)]
    [InlineData(TestGuest.LowBytes - 16)] // begins inside, ends outside
    [InlineData(0xD000_0000UL)]
    [InlineData(0xFFFF_FFFF_FFFF_FFF0UL)]
    public void Museum06_RingOutsideMemory_IsRefused(ulong address)
    {
        GuestAddress bad = new(address);
        Assert.Equal(VirtqueueFault.RingOutsideMemory, Configure(_driver.Layout with { DescriptorTable = bad }));
        Assert.Equal(VirtqueueFault.RingOutsideMemory, Configure(_driver.Layout with { AvailableRing = bad }));
        Assert.Equal(VirtqueueFault.RingOutsideMemory, Configure(_driver.Layout with { UsedRing = bad }));
        Assert.False(_queue.TryPop(_chain));
    }

    [Fact]
    public void TryPop_ReadableAfterWritable_IsRefused()
    {
        _driver.Add(new DriverBuffer(new GuestAddress(_buffer), 1, true), new DriverBuffer(new GuestAddress(_buffer), 1, false));
        AssertFault(VirtqueueFault.ReadableAfterWritable);
    }

    [Fact]
    public void TryPop_ChainOfMoreThanFourGigabytes_IsRefused()
    {
        DriverBuffer big = new(new GuestAddress(0), (uint)TestGuest.LowBytes, false);
        DriverBuffer[] buffers = new DriverBuffer[1024]; // 1024 times the same 4 MiB
        Array.Fill(buffers, big);
        _driver.AddIndirect(buffers);
        AssertFault(VirtqueueFault.ChainTooManyBytes);
    }

    [Fact]
    public void TryPop_ZeroLengthBuffers_CarryNothingAndTheirAddressIsIgnored()
    {
        _driver.Add(new DriverBuffer(new GuestAddress(ulong.MaxValue), 0, false), new DriverBuffer(new GuestAddress(_buffer), 3, true));
        Assert.True(_queue.TryPop(_chain));
        Assert.True(_chain.Readable.IsEmpty);
        Assert.Equal(3UL, _chain.Writable.LengthBytes);
    }

    [Fact]
    public void Configure_AfterAFault_StartsAfresh()
    {
        _driver.RawAvailableIndex(0x8000);
        AssertFault(VirtqueueFault.AvailableIndexTooFar);
        AssertFault(VirtqueueFault.AvailableIndexTooFar); // and stays so
        _driver.RawAvailableIndex(0);
        Configure(VirtioFeatureBits.Version1);
        _driver.Add(new DriverBuffer(new GuestAddress(_buffer), 1, false));
        Assert.True(_queue.TryPop(_chain));
    }

    [Fact]
    public void Museum11_DescriptorsRewrittenWhileWalked_StayInsideMemory()
    {
        bool stop = false;
        Thread flipper = new(() =>
        {
            while (!Volatile.Read(ref stop))
            {
                _driver.RawDescriptor(0, _buffer, 64, DriverQueue.Next, 1);
                _driver.RawDescriptor(1, _buffer, 64, DriverQueue.Write, 0);
                _driver.RawDescriptor(0, ulong.MaxValue - 3, 0xFFFF_FFFF, DriverQueue.Next | DriverQueue.Indirect, 0xFFFF);
                _driver.RawDescriptor(1, 0xD000_0000, 64, DriverQueue.Next, 0);
            }
        });
        flipper.Start();
        try
        {
            for (int round = 0; round < 100_000; round++)
            {
                _driver.RawMakeAvailable(0);
                if (_queue.TryPop(_chain))
                {
                    // Half of the one descriptor and half of the other can send the walk round: the table's length bounds it.
                    Assert.True(_chain.Readable.LengthBytes + _chain.Writable.LengthBytes <= 64 * Size);
                    _queue.Complete(_chain.HeadIndex, 0);
                }
                else
                {
                    Assert.NotEqual(VirtqueueFault.None, _queue.Fault);
                    Assert.Equal(VirtqueueFault.None, _queue.Configure(_guest.Memory, _driver.Layout, VirtioFeatureBits.RingIndirectDescriptors, _driver.AvailableIndex));
                }
            }
        }
        finally
        {
            Volatile.Write(ref stop, true); // before its memory goes away
            flipper.Join();
        }
    }

    private void Configure(ulong features) =>
        Assert.Equal(VirtqueueFault.None, _queue.Configure(_guest.Memory, _driver.Layout, features, 0));

    private VirtqueueFault Configure(VirtqueueLayout layout) => _queue.Configure(_guest.Memory, layout, VirtioFeatureBits.Version1, 0);

    private void AssertFault(VirtqueueFault expected)
    {
        Assert.False(_queue.TryPop(_chain));
        Assert.Equal(expected, _queue.Fault);
        Assert.False(_queue.IsRunning);
    }
}
