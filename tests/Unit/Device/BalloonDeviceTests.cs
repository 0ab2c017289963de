using System.Buffers.Binary;
using Sandbox.Device.Balloon;
using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.Unit.Tests.Memory;
using Sandbox.Virtio;

namespace Sandbox.Unit.Tests.Device;

public sealed class BalloonDeviceTests : IDisposable
{
    private const uint PageBytes = 4096;

    private readonly TestGuest _guest = new();
    private readonly BalloonDevice _device = new();
    private readonly DriverQueue[] _drivers = new DriverQueue[BalloonDevice.QueueCount];

    public BalloonDeviceTests()
    {
        for (int index = 0; index < _drivers.Length; index++)
        {
            _drivers[index] = new DriverQueue(_guest, 64);
            Assert.Equal(VirtqueueFault.None, _device.Queues[index].Ring.Configure(_guest.Memory, _drivers[index].Layout, _device.OfferedFeatures, 0));
        }
    }

    private DriverQueue Inflate => _drivers[BalloonDevice.InflateQueue];

    private DriverQueue Deflate => _drivers[BalloonDevice.DeflateQueue];

    private DriverQueue Reporting => _drivers[BalloonDevice.ReportingQueue];

    public void Dispose() => _guest.Dispose();

    /// <summary>No statistics, no hints: the queue for reports is the third. No target: nothing is asked of the guest.</summary>
    [Fact]
    public void Device_OffersReportingAndNoTarget()
    {
        Assert.Equal((1UL << 32) | (1UL << 29) | (1UL << 28) | (1UL << 5) | (1UL << 2), _device.OfferedFeatures);
        Assert.Equal(new byte[8], _device.ConfigSpace.ToArray());
        Assert.False(_device.TryWriteConfig(4, [1, 0, 0, 0]));
        Assert.Equal(3, _device.Queues.Length);
        Assert.True(_device.CanReplay);
    }

    [Fact]
    public void Report_OfFreePages_ReturnsThemToTheHost()
    {
        GuestAddress first = Full(16);
        GuestAddress kept = Full(1);
        GuestAddress second = Full(2);
        long before = HostMemory.BytesOf(_guest.File);
        Reporting.Add(new DriverBuffer(first, 16 * PageBytes, true), new DriverBuffer(second, 2 * PageBytes, true));
        Answered(Reporting, 1);
        Assert.Equal(before - (18 * PageBytes), HostMemory.BytesOf(_guest.File));
        Assert.Equal(new byte[16 * PageBytes], _guest.Read(first, 16 * (int)PageBytes));
        Assert.Equal([0x5A], _guest.Read(kept, 1));
    }

    [Fact]
    public void Report_OfPartsOfPages_LeavesThem()
    {
        GuestAddress start = Full(3);
        Reporting.Add(new DriverBuffer(new GuestAddress(start.Value + 16), 512, true), new DriverBuffer(new GuestAddress(start.Value + 4095), 4098, true));
        Answered(Reporting, 1);
        Assert.Equal([0x5A], _guest.Read(start, 1));
        Assert.Equal([0x5A, 0], _guest.Read(new GuestAddress(start.Value + 4095), 2)); // the page in the middle was whole
        Assert.Equal([0x5A], _guest.Read(new GuestAddress(start.Value + 8192), 1));
    }

    /// <summary>What the driver gave for reading is not the device's to change.</summary>
    [Fact]
    public void Report_OfABufferForReading_LeavesIt()
    {
        GuestAddress start = Full(1);
        Reporting.Add(new DriverBuffer(start, PageBytes, false));
        Answered(Reporting, 1);
        Assert.Equal([0x5A], _guest.Read(start, 1));
    }

    [Theory]
    [InlineData(TestGuest.LowBytes, PageBytes)] // the hole
    [InlineData(TestGuest.LowBytes - PageBytes, 2 * PageBytes)] // across its edge
    [InlineData(TestGuest.HighStart - PageBytes, 2 * PageBytes)]
    [InlineData(TestGuest.HighStart, (uint)TestGuest.HighBytes + 1)]
    [InlineData(ulong.MaxValue - PageBytes + 1, PageBytes)]
    [InlineData(ulong.MaxValue & ~4095ul, uint.MaxValue - PageBytes)] // wraps
    [InlineData(0ul, uint.MaxValue - PageBytes)]
    public void Report_OfMemoryThatIsNone_StopsTheQueueAndReturnsNothing(ulong start, uint lengthBytes)
    {
        GuestAddress good = Full(1);
        _guest.Write(new GuestAddress(TestGuest.LowBytes - PageBytes), [1]);
        _guest.Write(new GuestAddress(TestGuest.HighStart), [1]);
        Reporting.Add(new DriverBuffer(good, PageBytes, true), new DriverBuffer(new GuestAddress(start), lengthBytes, true));
        _ = _device.Work();
        Assert.Equal(VirtqueueFault.BufferOutsideMemory, _device.Queues[BalloonDevice.ReportingQueue].Ring.Fault);
        Assert.False(Reporting.TryPeekUsed());
        Assert.Equal([0x5A], _guest.Read(good, 1)); // a chain is whole or nothing
        Assert.Equal([1], _guest.Read(new GuestAddress(TestGuest.LowBytes - PageBytes), 1));
        Assert.Equal([1], _guest.Read(new GuestAddress(TestGuest.HighStart), 1));
        Inflate.Add(Numbers(Number(good)));
        Answered(Inflate, 1);
    }

    [Fact]
    public void Inflate_NamingPages_ReturnsThem()
    {
        GuestAddress first = Full(3);
        GuestAddress high = new(TestGuest.HighStart + PageBytes);
        _guest.Write(high, [1]);
        Inflate.Add(Numbers(Number(first), Number(first) + 2, Number(high), Number(first))); // one of them twice
        long before = HostMemory.BytesOf(_guest.File);
        Answered(Inflate, 1);
        Assert.Equal(before - (3 * PageBytes), HostMemory.BytesOf(_guest.File));
        Assert.Equal([0], _guest.Read(first, 1));
        Assert.Equal([0x5A], _guest.Read(new GuestAddress(first.Value + PageBytes), 1));
    }

    /// <summary>How a driver cuts a list into buffers means nothing (virtio 1.2 §2.7.4.1), in the middle of a number too.</summary>
    [Fact]
    public void Inflate_WithItsListInPieces_IsTheSame()
    {
        GuestAddress first = Full(2);
        DriverBuffer list = Numbers(Number(first), Number(first) + 1);
        Inflate.AddIndirect(list with { LengthBytes = 6 }, new DriverBuffer(new GuestAddress(list.Address.Value + 6), 2, false));
        Answered(Inflate, 1);
        Assert.Equal([0], _guest.Read(first, 1));
        Assert.Equal([0], _guest.Read(new GuestAddress(first.Value + PageBytes), 1));
    }

    [Fact]
    public void Inflate_NamingWhatIsNoPageOfTheGuests_IsAnsweredAndChangesNothing()
    {
        GuestAddress page = Full(1);
        long before = HostMemory.BytesOf(_guest.File);
        DriverBuffer numbers = Numbers((uint)(TestGuest.LowBytes / PageBytes), (uint)((TestGuest.HighStart + TestGuest.HighBytes) / PageBytes), uint.MaxValue, uint.MaxValue >> 1);
        Inflate.Add(numbers);
        Inflate.Add(numbers with { LengthBytes = 3 }); // not one whole number
        Inflate.Add(new DriverBuffer(page, PageBytes, true)); // no list at all
        Answered(Inflate, 3);
        Assert.InRange(HostMemory.BytesOf(_guest.File), before, long.MaxValue);
        Assert.Equal([0x5A], _guest.Read(page, 1));
    }

    [Fact]
    public void Inflate_OfMoreThanTheBound_ReturnsThatMuch()
    {
        GuestAddress page = Full(2);
        uint[] numbers = new uint[BalloonDevice.MaxPagesPerRequest + 1];
        Array.Fill(numbers, Number(page));
        numbers[^1]++;
        Inflate.Add(Numbers(numbers));
        Answered(Inflate, 1);
        Assert.Equal([0], _guest.Read(page, 1));
        Assert.Equal([0x5A], _guest.Read(new GuestAddress(page.Value + PageBytes), 1));
    }

    [Fact]
    public void Deflate_OfAnything_IsAnsweredAndChangesNothing()
    {
        GuestAddress page = Full(1);
        Deflate.Add(Numbers(Number(page), uint.MaxValue));
        Deflate.Add(new DriverBuffer(page, PageBytes, true));
        Answered(Deflate, 2);
        Assert.Equal([0x5A], _guest.Read(page, 1));
    }

    /// <summary>The loop comes back to launcher and frontend in between, however much is reported.</summary>
    [Fact]
    public void Requests_OfAFullRing_TakeMoreThanOneTurn()
    {
        GuestAddress page = Full(1);
        for (int count = 0; count < 64; count++)
        {
            Reporting.Add(new DriverBuffer(page, PageBytes, true));
        }

        Assert.True(_device.Work());
        Assert.InRange(Reporting.UsedIndex, 1, 63);
        while (_device.Work())
        {
        }

        Assert.Equal(64, Reporting.UsedIndex);
    }

    private void Answered(DriverQueue driver, int count)
    {
        while (_device.Work())
        {
        }

        for (int answer = 0; answer < count; answer++)
        {
            Assert.True(driver.TryTakeUsed(out _, out uint written));
            Assert.Equal(0u, written);
        }

        Assert.False(driver.TryTakeUsed(out _, out _));
    }

    private GuestAddress Full(uint pages)
    {
        GuestAddress start = _guest.Allocate(pages * PageBytes, PageBytes);
        byte[] content = new byte[pages * PageBytes];
        Array.Fill(content, (byte)0x5A);
        _guest.Write(start, content);
        return start;
    }

    private static uint Number(GuestAddress page) => (uint)(page.Value / PageBytes);

    private DriverBuffer Numbers(params ReadOnlySpan<uint> numbers)
    {
        byte[] list = new byte[numbers.Length * sizeof(uint)];
        for (int index = 0; index < numbers.Length; index++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(list.AsSpan(index * sizeof(uint)), numbers[index]);
        }

        return new DriverBuffer(_guest.Place(list), (uint)list.Length, false);
    }
}
