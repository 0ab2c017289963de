using System.Buffers.Binary;
using Sandbox.Memory;
using Sandbox.Virtio;
using Sandbox.Vmm.VirtioMmio;

namespace Sandbox.Unit.Tests.VirtioMmio;

/// <summary>A driver's hands on the registers.</summary>
/// <param name="transport">The registers.</param>
/// <param name="page">Where the guest reads them without an exit: it must say what the registers do. Empty where there is none.</param>
internal sealed class MmioDriver(VirtioMmioTransport transport, GuestSlice page = default)
{
    public uint Status => Read(MmioRegister.Status);

    public uint Read(MmioRegister register)
    {
        byte[] data = [0xFF, 0xFF, 0xFF, 0xFF];
        transport.Read((uint)register, data);
        uint value = BinaryPrimitives.ReadUInt32LittleEndian(data);
        if (page.LengthBytes != 0)
        {
            Assert.Equal(value, page.ReadUInt32Acquire((uint)register));
        }

        return value;
    }

    public void Write(MmioRegister register, uint value)
    {
        byte[] data = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(data, value);
        transport.Write((uint)register, data);
    }

    public void SetStatus(DeviceStatus status) => Write(MmioRegister.Status, (uint)status);

    /// <summary>Steps 2 to 6 of virtio 1.2, 3.1.1.</summary>
    public void Negotiate(ulong features = VirtioFeatureBits.Version1)
    {
        SetStatus(DeviceStatus.Acknowledge);
        SetStatus(DeviceStatus.Acknowledge | DeviceStatus.Driver);
        WriteFeatures(features);
        SetStatus(DeviceStatus.Acknowledge | DeviceStatus.Driver | DeviceStatus.FeaturesOk);
    }

    public void WriteFeatures(ulong features)
    {
        Write(MmioRegister.DriverFeaturesSel, 0);
        Write(MmioRegister.DriverFeatures, (uint)(features & uint.MaxValue));
        Write(MmioRegister.DriverFeaturesSel, 1);
        Write(MmioRegister.DriverFeatures, (uint)(features >> 32));
    }

    public void SetUpQueue(uint index, uint size = 16, ulong start = 0x1000)
    {
        Write(MmioRegister.QueueSel, index);
        WriteQueueNumbers(size, start);
        Write(MmioRegister.QueueReady, 1);
    }

    public void WriteQueueNumbers(uint size, ulong start)
    {
        Write(MmioRegister.QueueNum, size);
        WriteAddress(MmioRegister.QueueDescLow, start);
        WriteAddress(MmioRegister.QueueDriverLow, start + 0x1000);
        WriteAddress(MmioRegister.QueueDeviceLow, start + 0x2000);
    }

    public void DriverOk() => SetStatus(DeviceStatus.Acknowledge | DeviceStatus.Driver | DeviceStatus.FeaturesOk | DeviceStatus.DriverOk);

    public void WriteAddress(MmioRegister low, ulong address)
    {
        Write(low, (uint)(address & uint.MaxValue));
        Write(low + 4, (uint)(address >> 32));
    }
}
