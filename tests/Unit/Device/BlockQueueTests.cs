using System.Buffers.Binary;
using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.Virtio;
using Sandbox.Virtio.Block;

namespace Sandbox.Unit.Tests.Device;

/// <summary>Several request queues, and the choice between write-back and write-through.</summary>
public sealed class BlockQueueTests : IDisposable
{
    private const uint Out = 1;
    private const uint WritebackField = BlockConfigSpace.WritebackOffset;

    private readonly BlockHarness _block = new(queueCount: 3);

    public void Dispose() => _block.Dispose();

    [Fact]
    public void Queues_AreCountedInTheConfigurationAndOfferedTogether()
    {
        Assert.Equal(3, BinaryPrimitives.ReadUInt16LittleEndian(_block.Device.ConfigSpace[34..]));
        Assert.NotEqual(0UL, _block.Device.OfferedFeatures & BlockFeatureBits.MultiQueue);
        using BlockHarness single = new();
        Assert.Equal(1, BinaryPrimitives.ReadUInt16LittleEndian(single.Device.ConfigSpace[34..]));
        Assert.Equal(0UL, single.Device.OfferedFeatures & BlockFeatureBits.MultiQueue);
    }

    [Fact]
    public void Queues_AreServedEachForItself_AndABrokenOneStopsNoOther()
    {
        DriverQueue second = new(_block.Guest, 64);
        DriverQueue third = new(_block.Guest, 64);
        ulong features = _block.Device.OfferedFeatures;
        Assert.Equal(VirtqueueFault.None, _block.Device.Queues[1].Ring.Configure(_block.Guest.Memory, second.Layout, features, 0));
        Assert.Equal(VirtqueueFault.None, _block.Device.Queues[2].Ring.Configure(_block.Guest.Memory, third.Layout, features, 0));
        byte[] content = new byte[512];
        new Random(9).NextBytes(content);
        DriverBuffer data = new(_block.Guest.Place(content), 512, false);
        GuestAddress status = _block.Guest.Place([0xEE, 0xEE]);

        second.Add(_block.Header(Out, 5), data, new DriverBuffer(status, 1, true));
        third.Add(_block.Header(Out, 6), data, new DriverBuffer(new GuestAddress(status.Value + 1), 1, true));
        _block.Driver.RawAvailableIndex(0x4000);
        while (_block.Device.Work())
        {
        }

        Assert.Equal([0, 0], _block.Guest.Read(status, 2));
        Assert.True(second.TryTakeUsed(out _, out _) && third.TryTakeUsed(out _, out _));
        Assert.Equal(content, _block.FileContent(5 * 512, 512));
        Assert.Equal(content, _block.FileContent(6 * 512, 512));
        Assert.Equal(VirtqueueFault.AvailableIndexTooFar, _block.Device.Queues[0].Ring.Fault);
        Assert.Equal(VirtqueueFault.None, _block.Device.Queues[1].Ring.Fault);
    }

    [Theory]
    [InlineData(WritebackField, 0, true)]
    [InlineData(WritebackField, 1, true)]
    [InlineData(WritebackField, 2, false)]
    [InlineData(0u, 0, false)] // the capacity is not the driver's
    [InlineData(uint.MaxValue, 0, false)]
    public void Config_OnlyTheWritebackFieldCanBeWritten(uint offset, byte value, bool accepted)
    {
        byte[] before = _block.Device.ConfigSpace.ToArray();
        Assert.Equal(1, before[WritebackField]);
        Assert.Equal(accepted, _block.Device.TryWriteConfig(offset, [value]));
        before[WritebackField] = accepted ? value : before[WritebackField];
        Assert.Equal(before, _block.Device.ConfigSpace.ToArray());
        Assert.False(_block.Device.TryWriteConfig(WritebackField, [0, 0]));
    }

    [Fact]
    public void Config_OfADriverThatDidNotAcceptTheFeature_CannotBeWritten()
    {
        using BlockHarness disk = new(features: ~BlockFeatureBits.ConfigWriteback);
        Assert.False(disk.Device.TryWriteConfig(WritebackField, [0]));
        using BlockHarness readOnly = new(readOnly: true);
        Assert.False(readOnly.Device.TryWriteConfig(WritebackField, [0]));
    }

    [Fact]
    public void Successor_AssumesWriteThroughUntilItIsTold()
    {
        _block.Device.TakenOver();
        Assert.Equal(0, _block.Device.ConfigSpace[(int)WritebackField]);
        Assert.True(_block.Device.TryWriteConfig(WritebackField, [1]));
        Assert.Equal(1, _block.Device.ConfigSpace[(int)WritebackField]);
    }
}
