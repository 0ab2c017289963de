using System.Buffers.Binary;
using Sandbox.Device.Block;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.Virtio;

namespace Sandbox.Unit.Tests.Device;

/// <summary>A file past the page cache, with buffers that suit it and buffers that do not.</summary>
public sealed class BlockDirectTests : IDisposable
{
    private const int DiskBytes = 1 << 20;

    // Where the tests are built: /tmp may be a file system without direct I/O.
    private readonly string _path = Path.Combine(AppContext.BaseDirectory, $"direct-{Guid.NewGuid():N}");
    private readonly TestGuest _guest = new();
    private readonly FdHandle _file;
    private readonly BlockDevice _device;
    private readonly DriverQueue _driver;

    public BlockDirectTests()
    {
        File.WriteAllBytes(_path, new byte[DiskBytes]);
        _file = FileOpen.Named(_path, writable: true, direct: true);
        _device = new BlockDevice(_file.Number, DiskBytes, readOnly: false, "direct", direct: true);
        _device.FeaturesAgreed(_device.OfferedFeatures);
        _driver = new DriverQueue(_guest, 64);
        Assert.Equal(VirtqueueFault.None, _device.Queues[0].Ring.Configure(_guest.Memory, _driver.Layout, _device.OfferedFeatures, 0));
    }

    public void Dispose()
    {
        _file.Dispose();
        _guest.Dispose();
        File.Delete(_path);
    }

    [Theory]
    [InlineData(0, 8192)] // straight between the medium and guest pages
    [InlineData(1, 4096)] // no alignment at all
    [InlineData(17, 300 * 1024)] // more than the bounce buffer holds
    public void WriteThenRead_WithABufferAnywhere_MovesEveryByte(uint misplaced, int bytes)
    {
        byte[] content = new byte[bytes];
        new Random(bytes).NextBytes(content);
        GuestAddress room = _guest.Allocate((uint)bytes + 4096, 4096);
        GuestAddress buffer = new(room.Value + misplaced);
        _guest.Write(buffer, content);
        Assert.Equal(0, Run(1, 8, new DriverBuffer(buffer, (uint)bytes, false)));
        Assert.Equal(content, File.ReadAllBytes(_path)[4096..(4096 + bytes)]);

        _guest.Write(buffer, new byte[bytes]);
        Assert.Equal(0, Run(0, 8, new DriverBuffer(buffer, (uint)bytes, true)));
        Assert.Equal(content, _guest.Read(buffer, bytes));
    }

    [Fact]
    public void Configuration_ShowsTheBlocksThatItDemands()
    {
        Assert.Equal(4096u, BinaryPrimitives.ReadUInt32LittleEndian(_device.ConfigSpace[20..]));
        Assert.Equal(0, _device.ConfigSpace[24]);
        Assert.Equal(1, _device.ConfigSpace[26]);
    }

    private int Run(uint type, ulong sector, DriverBuffer data)
    {
        byte[] header = new byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(header, type);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(8), sector);
        GuestAddress status = _guest.Place([0xEE]);
        _driver.Add(new DriverBuffer(_guest.Place(header), 16, false), data, new DriverBuffer(status, 1, true));
        while (_device.Work())
        {
        }

        Assert.True(_driver.TryTakeUsed(out _, out _));
        return _guest.Read(status, 1)[0];
    }
}
