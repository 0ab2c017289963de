using Sandbox.Device.Rng;
using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.Virtio;

namespace Sandbox.Unit.Tests.Device;

public sealed class EntropyDeviceTests : IDisposable
{
    private readonly TestGuest _guest = new();
    private readonly EntropyDevice _device = new();
    private readonly DriverQueue _driver;

    public EntropyDeviceTests()
    {
        _driver = new DriverQueue(_guest, 8);
        Assert.Equal(VirtqueueFault.None, _device.Queues[0].Ring.Configure(_guest.Memory, _driver.Layout, _device.OfferedFeatures, 0));
    }

    public void Dispose() => _guest.Dispose();

    [Fact]
    public void Request_OfSeveralBuffers_IsFilledWithDifferentBytes()
    {
        GuestAddress first = _guest.Allocate(100);
        GuestAddress second = _guest.Allocate(100);
        _driver.Add(new DriverBuffer(first, 100, true), new DriverBuffer(second, 100, true));
        _device.Work();
        Assert.True(_driver.TryTakeUsed(out _, out uint written));
        Assert.Equal(200u, written);
        Assert.NotEqual(new byte[100], _guest.Read(first, 100));
        Assert.NotEqual(_guest.Read(first, 100), _guest.Read(second, 100));
    }

    [Theory]
    [InlineData(1 << 20, EntropyDevice.MaxRequestBytes)] // bounded: the driver asks again for more
    [InlineData(0, 0)]
    public void Request_OfAnySize_IsBounded(uint asked, uint expected)
    {
        _driver.Add(new DriverBuffer(_guest.Allocate(asked), asked, true));
        _device.Work();
        Assert.True(_driver.TryTakeUsed(out _, out uint written));
        Assert.Equal(expected, written);
    }

    [Fact]
    public void Rate_IsBounded_WhateverIsAskedFor()
    {
        long now = 0;
        EntropyDevice device = new(() => now);
        DriverQueue driver = new(_guest, 8);
        Assert.Equal(VirtqueueFault.None, device.Queues[0].Ring.Configure(_guest.Memory, driver.Layout, device.OfferedFeatures, 0));
        DriverBuffer room = new(_guest.Allocate(EntropyDevice.MaxRequestBytes), EntropyDevice.MaxRequestBytes, true);
        driver.Add(room);
        long given = 0;
        for (; now < 2_000_000_000; now += 1_000_000)
        {
            while (device.Work() || driver.TryPeekUsed())
            {
                while (driver.TryTakeUsed(out _, out uint written))
                {
                    given += written;
                    driver.Add(room); // as fast as it can
                }
            }

            Assert.InRange(device.WaitMilliseconds, 1, 1000);
            Assert.InRange(given, 0, (256 * 1024) + EntropyDevice.MaxRequestBytes + (now / 1_000_000 * EntropyDevice.BytesPerSecond / 1000));
        }

        Assert.InRange(given, 2 * EntropyDevice.BytesPerSecond, 3 * EntropyDevice.BytesPerSecond);
    }

    [Fact]
    public void Request_WithoutWritableBuffer_IsGivenBackEmpty()
    {
        GuestAddress address = _guest.Place(new byte[16]);
        _driver.Add(new DriverBuffer(address, 16, false));
        _device.Work();
        Assert.True(_driver.TryTakeUsed(out _, out uint written));
        Assert.Equal(0u, written);
        Assert.Equal(new byte[16], _guest.Read(address, 16));
    }
}
