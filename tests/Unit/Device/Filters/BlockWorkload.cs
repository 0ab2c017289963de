using System.Buffers.Binary;
using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Testing;

namespace Sandbox.Unit.Tests.Device.Filters;

/// <summary>
/// Every kind of request to a disk. On a file in memory, which cannot zero a range at once, so both ways of doing it are taken; on a medium, where
/// threads wait for it; and past the page cache, with buffers that do not suit it.
/// </summary>
internal sealed class BlockWorkload : DeviceWorkload
{
    private const int Bytes = 65536;

    private readonly bool _direct;
    private readonly MediumFile? _medium;
    private readonly FdHandle _disk;
    private readonly FdHandle _kick = EventFd.Create();

    public BlockWorkload(bool onMedium, bool direct)
    {
        _direct = direct;
        _medium = onMedium ? new MediumFile(new byte[Bytes], direct) : null;
        _disk = _medium?.File ?? MemFd.Create("disk");
        if (_medium is null)
        {
            Assert.Equal(Bytes, FdIo.Write(_disk.Number, new byte[Bytes]));
        }
    }

    protected override DeviceLaunchSpec Spec => new() { Kind = DeviceKind.Block, CapacityBytes = Bytes, SerialId = "disk0", Direct = _direct };

    protected override FdHandle[] Backings => [_disk];

    public override void Dispose()
    {
        _kick.Dispose();
        _disk.Dispose();
        _medium?.Dispose();
        base.Dispose();
    }

    protected override void Drive()
    {
        DriverQueue driver = new(Guest, 32);
        Process.Frontend.StartRing(0, driver, _kick.Number, Call.Number);
        GuestAddress data = new(Guest.Allocate(8192, 4096).Value + (_direct ? 1u : 0));
        byte[] range = new byte[16]; // virtio 1.2 §5.2.6, struct virtio_blk_discard_write_zeroes: eight sectors from sector 0
        BinaryPrimitives.WriteUInt32LittleEndian(range.AsSpan(8), 8);
        Request(driver, 1, new DriverBuffer(data, 4096, false)); // VIRTIO_BLK_T_OUT
        Request(driver, 0, new DriverBuffer(data, 4096, true)); // VIRTIO_BLK_T_IN
        Request(driver, 4); // VIRTIO_BLK_T_FLUSH
        Request(driver, 11, new DriverBuffer(Guest.Place(range), 16, false)); // VIRTIO_BLK_T_DISCARD
        Request(driver, 13, new DriverBuffer(Guest.Place(range), 16, false)); // VIRTIO_BLK_T_WRITE_ZEROES
    }

    private void Request(DriverQueue driver, uint type, params DriverBuffer[] data)
    {
        byte[] header = new byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(header, type);
        driver.WantCallAt(driver.UsedIndex);
        driver.Add([new DriverBuffer(Guest.Place(header), 16, false), .. data, new DriverBuffer(Guest.Place([0xEE]), 1, true)]);
        EventFd.Signal(_kick.Number);
        Await(() => EventFd.TryConsume(Call.Number), "the answer of a disk");
        Assert.True(driver.TryTakeUsed(out _, out _));
    }
}
