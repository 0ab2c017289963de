using Sandbox.Memory;
using Sandbox.Virtio;
using Sandbox.Vmm.VirtioMmio;

namespace Sandbox.Unit.Tests.VirtioMmio;

public sealed class VirtioMmioTransportTests : IDisposable
{
    private readonly BackendStub _backend = new();
    private readonly GuestMemory _page = GuestMemory.MapOwn(new GuestAddress(0xD000_0000), 0x1000);
    private readonly VirtioMmioTransport _transport;
    private readonly MmioDriver _driver;

    public VirtioMmioTransportTests()
    {
        Assert.True(_page.TryGetSlice(new GuestAddress(0xD000_0000), 0x1000, out GuestSlice page));
        _transport = new VirtioMmioTransport(_backend, page);
        _driver = new MmioDriver(_transport, page);
    }

    public void Dispose() => _page.Dispose();

    [Fact]
    public void Identity_IsThatOfAVirtioMmioDevice()
    {
        Assert.Equal(0x7472_6976u, _driver.Read(MmioRegister.MagicValue));
        Assert.Equal(2u, _driver.Read(MmioRegister.Version));
        Assert.Equal(2u, _driver.Read(MmioRegister.DeviceId));
    }

    [Fact]
    public void DriverOk_AfterTheRightSteps_StartsTheBackendWithTheQueues()
    {
        _driver.Negotiate(VirtioFeatureBits.Version1 | (1UL << 9));
        _driver.SetUpQueue(1, 128, 0x1_2345_0000);
        _driver.DriverOk();

        Assert.Equal(0x0Fu, _driver.Status);
        Assert.Equal(1, _backend.Starts);
        Assert.Equal(VirtioFeatureBits.Version1 | (1UL << 9), _backend.Features);
        Assert.Equal(default, _backend.Queues[0]);
        Assert.Equal(
            new VirtqueueLayout(128, new GuestAddress(0x1_2345_0000), new GuestAddress(0x1_2345_1000), new GuestAddress(0x1_2345_2000)),
            _backend.Queues[1]);
    }

    [Theory]
    [InlineData(0UL)] // a legacy driver
    [InlineData(VirtioFeatureBits.Version1 | (1UL << 5))] // never offered
    [InlineData(VirtioFeatureBits.Version1 | (1UL << 34))] // packed ring
    public void FeaturesOk_WithFeaturesThatCannotBe_StaysClear(ulong features)
    {
        _driver.Negotiate(features);

        Assert.Equal(0x03u, _driver.Status);
        _driver.DriverOk();
        Assert.Equal(0, _backend.Starts);
    }

    [Theory]
    [InlineData(DeviceStatus.DriverOk)]
    [InlineData(DeviceStatus.FeaturesOk)]
    [InlineData(DeviceStatus.FeaturesOk | DeviceStatus.DriverOk)]
    [InlineData(DeviceStatus.Acknowledge | DeviceStatus.DriverOk)]
    public void Status_OutOfOrder_IsIgnored(DeviceStatus written)
    {
        _driver.SetStatus(written);

        Assert.Equal((uint)(written & DeviceStatus.Acknowledge), _driver.Status);
        Assert.Equal(0, _backend.Starts);
    }

    [Fact]
    public void Status_WithABitTakenAway_IsIgnored()
    {
        _driver.Negotiate();
        _driver.SetStatus(DeviceStatus.Acknowledge);

        Assert.Equal(0x0Bu, _driver.Status);
    }

    [Fact]
    public void DriverOk_AfterFailed_StartsNothing()
    {
        _driver.Negotiate();
        _driver.SetStatus((DeviceStatus)0x8B);
        _driver.SetStatus((DeviceStatus)0x8F);

        Assert.Equal(0, _backend.Starts);
    }

    [Fact]
    public void DriverOk_ThatTheBackendRefuses_NeedsAResetAndSaysSoByAnInterrupt()
    {
        _backend.StartSucceeds = false;
        _driver.Negotiate();
        _driver.DriverOk();

        Assert.Equal(0x4Fu, _driver.Status);
        Assert.Equal(1, _backend.Interrupts);
        Assert.Equal(3u, _driver.Read(MmioRegister.InterruptStatus));
        _driver.Write(MmioRegister.InterruptAck, 3);
        Assert.Equal(1u, _driver.Read(MmioRegister.InterruptStatus));

        _driver.SetStatus(DeviceStatus.None);
        Assert.Equal(0u, _driver.Status);
        Assert.Equal(1, _backend.Stops);
    }

    [Fact]
    public void Reset_FromAnyState_ForgetsEverything()
    {
        for (int steps = 0; steps < 4; steps++)
        {
            if (steps > 0)
            {
                _driver.Negotiate();
            }

            if (steps > 1)
            {
                _driver.SetUpQueue(0);
            }

            if (steps > 2)
            {
                _driver.DriverOk();
            }

            _driver.SetStatus(DeviceStatus.None);
            Assert.Equal(steps + 1, _backend.Stops);
            Assert.Equal(0u, _driver.Status);
            Assert.Equal(0u, _driver.Read(MmioRegister.QueueReady));
            Assert.Equal(0u, _driver.Read(MmioRegister.InterruptStatus));
        }

        _driver.Negotiate();
        _driver.DriverOk();
        Assert.All(_backend.Queues, queue => Assert.Equal(default, queue));
    }

    [Theory]
    [InlineData(0u, 1)]
    [InlineData(0u, 2)]
    [InlineData(0u, 8)]
    [InlineData(2u, 4)]
    [InlineData((uint)MmioRegister.DriverFeatures, 4)] // write-only
    [InlineData(0x018u, 4)] // no register
    [InlineData(0x0C0u, 4)] // QueueReset: not offered
    public void Read_OfNoRegisterOrInAWrongWidth_ReadsAllOnes(uint offset, int width)
    {
        byte[] data = new byte[width];
        Array.Fill(data, (byte)0xFF);
        _transport.Read(offset, data);

        Assert.All(data, value => Assert.Equal(0xFF, value));
    }

    [Theory]
    [InlineData((uint)MmioRegister.Status, 1)]
    [InlineData((uint)MmioRegister.Status, 2)]
    [InlineData((uint)MmioRegister.Status, 8)]
    [InlineData((uint)MmioRegister.MagicValue, 4)]
    [InlineData((uint)MmioRegister.Config, 4)]
    public void Write_OfNoWritableRegisterOrInAWrongWidth_IsIgnored(uint offset, int width)
    {
        byte[] data = new byte[width];
        data[0] = 1;
        _transport.Write(offset, data);

        Assert.Equal(0u, _driver.Status);
    }

    [Fact]
    public void Config_Written_ReachesTheBackendOnceFeaturesAreAgreed()
    {
        _transport.Write((uint)MmioRegister.Config + 32, [1]);
        Assert.Empty(_backend.ConfigWrites);
        _driver.Negotiate();
        _transport.Write((uint)MmioRegister.Config + 32, [0]);
        (uint offset, byte[] data) = Assert.Single(_backend.ConfigWrites);
        Assert.Equal(32u, offset);
        Assert.Equal([0], data);
        _driver.DriverOk();
        Assert.True(_transport.DemandReset());
        _transport.Write((uint)MmioRegister.Config + 32, [1]);
        Assert.Single(_backend.ConfigWrites);
    }

    [Fact]
    public void DemandReset_BeforeDriverOk_TellsNobody()
    {
        Assert.False(_transport.DemandReset());
        _driver.Negotiate();
        Assert.False(_transport.DemandReset());
        Assert.Equal(0, _backend.Interrupts);
        _driver.DriverOk();
        Assert.True(_transport.DemandReset());
        Assert.False(_transport.DemandReset());
        Assert.Equal((0x4Fu, 1), (_driver.Status, _backend.Interrupts));
        _driver.SetUpQueue(0); // nothing but a reset counts now
        Assert.Equal(0u, _driver.Read(MmioRegister.QueueReady));
        _driver.SetStatus(DeviceStatus.None);
        Assert.Equal(0u, _driver.Status);
    }

    [Fact]
    public void ConfigurationChanged_WhileTheDriverRuns_IsAnInterruptAndAnotherGeneration()
    {
        _driver.Negotiate();
        _driver.DriverOk();
        uint generation = _driver.Read(MmioRegister.ConfigGeneration);

        _transport.ConfigurationChanged();

        Assert.NotEqual(generation, _driver.Read(MmioRegister.ConfigGeneration));
        Assert.Equal((3u, 1), (_driver.Read(MmioRegister.InterruptStatus), _backend.Interrupts));
        _driver.Write(MmioRegister.InterruptAck, 2);
        Assert.Equal((1u, 0x0Fu), (_driver.Read(MmioRegister.InterruptStatus), _driver.Status));
    }

    [Fact]
    public void ConfigurationChanged_BeforeDriverOk_IsToldOnceTheDriverRuns()
    {
        _driver.Negotiate();
        _transport.ConfigurationChanged();
        Assert.Equal(0, _backend.Interrupts);

        _driver.DriverOk();

        Assert.Equal((3u, 1), (_driver.Read(MmioRegister.InterruptStatus), _backend.Interrupts));
    }

    [Fact]
    public void ConfigurationChanged_BeforeAnyDriver_IsNoNews()
    {
        _transport.ConfigurationChanged();
        _driver.Negotiate();
        _driver.DriverOk();

        Assert.Equal((1u, 0), (_driver.Read(MmioRegister.InterruptStatus), _backend.Interrupts));
    }

    [Theory]
    [InlineData(0, 4, "0123")]
    [InlineData(3, 1, "3")]
    [InlineData(2, 8, "23456789")]
    [InlineData(9, 4, "9\0\0\0")]
    [InlineData(0xEFF, 1, "\0")]
    public void Config_ReadInAnyWidth_GivesItsBytesAndZeroesAfter(int offset, int width, string expected)
    {
        byte[] data = new byte[width];
        _transport.Read((uint)MmioRegister.Config + (uint)offset, data);

        Assert.Equal(expected, System.Text.Encoding.ASCII.GetString(data));
    }
}
