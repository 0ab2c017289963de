using Sandbox.Virtio;
using Sandbox.Vmm.VirtioMmio;

namespace Sandbox.Unit.Tests.VirtioMmio;

/// <summary>Museum rows 1, 3 and 7: registers written in the wrong state, selectors at their maximum, notifications of queues that are not there.</summary>
public sealed class MuseumTransportTests
{
    private readonly BackendStub _backend = new();
    private readonly VirtioMmioTransport _transport;
    private readonly MmioDriver _driver;

    public MuseumTransportTests()
    {
        _transport = new VirtioMmioTransport(_backend);
        _driver = new MmioDriver(_transport);
    }

    /// <summary>CVE-2026-5747: a queue that grew after it had been checked.</summary>
    [Fact]
    public void Museum01_QueueRegisters_WrittenAfterQueueReady_AreIgnored()
    {
        _driver.Negotiate();
        _driver.SetUpQueue(0, 16, 0x1000);
        _driver.WriteQueueNumbers(0x8000, 0xFFFF_FFFF_0000);
        _driver.DriverOk();

        Assert.Equal(16u, _backend.Queues[0].Size);
        Assert.Equal(0x1000UL, _backend.Queues[0].DescriptorTable.Value);
    }

    [Fact]
    public void Museum01_EveryRegister_WrittenAfterDriverOk_ChangesNothing()
    {
        _driver.Negotiate();
        _driver.SetUpQueue(0, 16, 0x1000);
        _driver.DriverOk();

        for (uint offset = 0; offset < 0x200; offset += 4)
        {
            if (offset != (uint)MmioRegister.Status)
            {
                _driver.Write((MmioRegister)offset, 0);
                _driver.Write((MmioRegister)offset, uint.MaxValue);
            }
        }

        _driver.Write(MmioRegister.QueueSel, 0);
        _driver.Write(MmioRegister.QueueReady, 0);
        _driver.WriteQueueNumbers(0, 0);
        _driver.Write(MmioRegister.QueueReady, 1);
        _driver.WriteFeatures(ulong.MaxValue);

        Assert.Equal((0x0Fu, 1u), (_driver.Status, _driver.Read(MmioRegister.QueueReady)));
        Assert.Equal((1, 0), (_backend.Starts, _backend.Stops));
    }

    [Fact]
    public void Museum01_Features_WrittenAfterFeaturesOk_AreIgnored()
    {
        _driver.Negotiate();
        _driver.WriteFeatures(ulong.MaxValue);
        _driver.DriverOk();

        Assert.Equal(VirtioFeatureBits.Version1, _backend.Features);
    }

    [Fact]
    public void Museum01_QueueRegisters_WrittenBeforeFeaturesOk_AreIgnored()
    {
        _driver.SetUpQueue(0);
        _driver.SetStatus(DeviceStatus.Acknowledge);
        _driver.SetUpQueue(0);

        Assert.Equal(0u, _driver.Read(MmioRegister.QueueReady));
    }

    /// <summary>cloud-hypervisor 7917: a selector beyond the last queue.</summary>
    [Theory]
    [InlineData(2u)]
    [InlineData(0xFFFFu)]
    [InlineData(0x8000_0000u)]
    [InlineData(uint.MaxValue)]
    public void Museum03_Selectors_AtTheirMaximum_ReachNothing(uint selector)
    {
        _driver.Negotiate();
        _driver.Write(MmioRegister.QueueSel, selector);
        _driver.Write(MmioRegister.DeviceFeaturesSel, selector);
        _driver.Write(MmioRegister.DriverFeaturesSel, selector);
        for (uint offset = 0; offset < 0x200; offset += 4)
        {
            _ = _driver.Read((MmioRegister)offset);
            if (offset is not ((uint)MmioRegister.Status or (uint)MmioRegister.QueueSel))
            {
                _driver.Write((MmioRegister)offset, 1);
            }
        }

        _driver.Write(MmioRegister.DeviceFeaturesSel, selector);
        Assert.Equal(0u, _driver.Read(MmioRegister.QueueNumMax));
        Assert.Equal(0u, _driver.Read(MmioRegister.QueueReady));
        Assert.Equal(0u, _driver.Read(MmioRegister.DeviceFeatures));
        Assert.Equal(0x0Bu, _driver.Status);
    }

    /// <summary>CVE-2011-2512: a notification with a negative queue number.</summary>
    [Theory]
    [InlineData(0u)]
    [InlineData(2u)]
    [InlineData(0xFFFFu)]
    [InlineData(0xFFFF_FFFFu)]
    public void Museum07_NotifyOfUnconfiguredQueue_IsIgnored(uint queue)
    {
        _driver.Write(MmioRegister.QueueNotify, queue);
        _driver.Negotiate();
        _driver.Write(MmioRegister.QueueNotify, queue);
        _driver.DriverOk();
        _driver.Write(MmioRegister.QueueNotify, queue);

        Assert.Equal((0x0Fu, 1, 0), (_driver.Status, _backend.Starts, _backend.Interrupts));
    }

    /// <summary>Whatever a driver writes, in whatever order: no exception, and no start without its steps.</summary>
    [Theory]
    [InlineData(21)]
    [InlineData(22)]
    public void Museum01_AnyAccesses_NeitherThrowNorAllocate(int seed)
    {
        // The stub copies the queues at each start, at most 256 bytes: nothing else may allocate.
        Assert.InRange(Allocations.Least(() => RunAccesses(seed)), long.MinValue, 4096);
    }

    private long RunAccesses(int seed)
    {
        Random random = new(seed);
        byte[] data = new byte[8];
        int[] widths = [1, 2, 4, 4, 4, 4, 8];
        long before = GC.GetAllocatedBytesForCurrentThread();
        int startsBefore = _backend.Starts;
        for (int access = 0; access < 200_000; access++)
        {
            uint offset = random.Next(4) == 0 ? (uint)random.Next(0x1000) : (uint)random.Next(0x44) * 4;
            Span<byte> span = data.AsSpan(0, widths[random.Next(widths.Length)]);
            uint value = random.Next(3) switch { 0 => uint.MaxValue, 1 => (uint)random.Next(16), _ => (uint)random.Next() };
            BitConverter.TryWriteBytes(data, value);
            if (random.Next(2) == 0)
            {
                _transport.Write(offset, span);
            }
            else
            {
                _transport.Read(offset, span);
            }
        }

        return GC.GetAllocatedBytesForCurrentThread() - before - ((_backend.Starts - startsBefore) * 256L);
    }
}
