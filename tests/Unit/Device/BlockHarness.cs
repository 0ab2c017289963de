using System.Buffers.Binary;
using Sandbox.Device;
using Sandbox.Device.Block;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.Virtio;

namespace Sandbox.Unit.Tests.Device;

/// <summary>A block device on a file in memory, and the driver's queue.</summary>
internal sealed class BlockHarness : IDisposable
{
    internal const int Sectors = 64;

    internal BlockHarness(bool readOnly = false, ulong features = ulong.MaxValue, long fileBytes = Sectors * 512, int queueCount = 1, BlockRate? rate = null, Func<DeviceQueue[], KickPoll>? poll = null)
    {
        File = MemFd.CreateSealed("disk", fileBytes);
        Device = new BlockDevice(File.Number, Sectors * 512, readOnly, "serial-1", queueCount, rate: rate, poll: poll);
        Device.FeaturesAgreed(Device.OfferedFeatures & features);
        Driver = new DriverQueue(Guest, 256);
        Assert.Equal(VirtqueueFault.None, Device.Queues[0].Ring.Configure(Guest.Memory, Driver.Layout, Device.OfferedFeatures & features, 0));
        Status = Guest.Allocate(1);
    }

    internal TestGuest Guest { get; } = new();

    internal FdHandle File { get; }

    internal BlockDevice Device { get; }

    internal DriverQueue Driver { get; }

    internal GuestAddress Status { get; }

    internal DriverBuffer StatusBuffer => new(Status, 1, true);

    internal DriverBuffer Header(uint type, ulong sector)
    {
        byte[] header = new byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(header, type);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(8), sector);
        return new DriverBuffer(Guest.Place(header), 16, false);
    }

    /// <summary>Sends a request and returns its status byte; -1 when the device did not answer.</summary>
    internal int Run(params ReadOnlySpan<DriverBuffer> buffers)
    {
        Guest.Write(Status, [0xEE]);
        Driver.Add(buffers);
        while (Device.Work())
        {
        }

        return Driver.TryTakeUsed(out _, out _) ? Guest.Read(Status, 1)[0] : -1;
    }

    /// <summary>A request with one data buffer.</summary>
    internal int Run(uint type, ulong sector, GuestAddress data, uint lengthBytes, bool deviceWrites) =>
        Run(Header(type, sector), new DriverBuffer(data, lengthBytes, deviceWrites), StatusBuffer);

    internal byte[] FileContent(int offset, int length)
    {
        byte[] content = new byte[length];
        Assert.Equal(length, FdIo.ReadAt(File.Number, content, offset));
        return content;
    }

    public void Dispose()
    {
        Guest.Dispose();
        File.Dispose();
    }
}
