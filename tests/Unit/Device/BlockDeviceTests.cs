using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.Virtio;
using Sandbox.Virtio.Block;

namespace Sandbox.Unit.Tests.Device;

public sealed class BlockDeviceTests : IDisposable
{
    private const uint In = 0;
    private const uint Out = 1;
    private const uint Flush = 4;
    private const uint GetId = 8;
    private const uint Discard = 11;
    private const uint WriteZeroes = 13;
    private const int Ok = 0;
    private const int IoError = 1;
    private const int Unsupported = 2;

    private readonly BlockHarness _block = new();

    public void Dispose() => _block.Dispose();

    [Fact]
    public void WriteThenRead_InOddPieces_MovesEveryByte()
    {
        byte[] content = new byte[1024];
        new Random(3).NextBytes(content);
        GuestAddress source = _block.Guest.Place(content);
        GuestAddress target = _block.Guest.Allocate(1024);
        Assert.Equal(Ok, _block.Run(
            _block.Header(Out, 3), new DriverBuffer(source, 100, false), new DriverBuffer(new GuestAddress(source.Value + 100), 924, false), _block.StatusBuffer));
        Assert.Equal(content, _block.FileContent(3 * 512, 1024));
        // How a driver cuts a request means nothing: header in two, data in three, the last with the status byte.
        DriverBuffer header = _block.Header(In, 3);
        GuestAddress tail = _block.Guest.Allocate(25);
        Assert.Equal(0xEE, _block.Run(
            header with { LengthBytes = 7 },
            new DriverBuffer(new GuestAddress(header.Address.Value + 7), 9, false),
            new DriverBuffer(target, 1, true),
            new DriverBuffer(new GuestAddress(target.Value + 1), 999, true),
            new DriverBuffer(tail, 25, true))); // the usual status byte is not part of this request
        Assert.Equal(content[..1000], _block.Guest.Read(target, 1000));
        Assert.Equal([.. content[1000..], 0], _block.Guest.Read(tail, 25));
    }

    [Fact]
    public void Flush_GetId_AndUnknownType_AreAnswered()
    {
        Assert.Equal(Ok, _block.Run(_block.Header(Flush, 0), _block.StatusBuffer));
        GuestAddress id = _block.Guest.Allocate(20);
        Assert.Equal(Ok, _block.Run(GetId, 0, id, 20, true));
        Assert.Equal("serial-1\0\0\0\0\0\0\0\0\0\0\0\0"u8.ToArray(), _block.Guest.Read(id, 20));
        Assert.Equal(IoError, _block.Run(GetId, 0, id, 19, true));
        Assert.Equal(Unsupported, _block.Run(_block.Header(2, 0), _block.StatusBuffer)); // the SCSI passthrough of old
        Assert.Equal(Unsupported, _block.Run(_block.Header(uint.MaxValue, 0), _block.StatusBuffer));
    }

    [Theory]
    [InlineData(BlockHarness.Sectors - 1, 512, Ok)]
    [InlineData(BlockHarness.Sectors - 1, 1024, IoError)] // starts inside, ends beyond
    [InlineData(BlockHarness.Sectors, 512, IoError)]
    [InlineData(0x0080_0000_0000_0000UL, 512, IoError)] // sector * 512 wraps to zero
    [InlineData(ulong.MaxValue, 512, IoError)]
    [InlineData(ulong.MaxValue - 1, 1024, IoError)] // sector + count wraps
    [InlineData(0, 511, IoError)] // no whole sector
    public void Museum14_RunAtTheEndOfTheDisk_IsExact(ulong sector, uint bytes, int expected)
    {
        GuestAddress data = _block.Guest.Allocate(1024);
        Assert.Equal(expected, _block.Run(Out, sector, data, bytes, false));
        Assert.Equal(expected, _block.Run(In, sector, data, bytes, true));
        Assert.Equal(BlockHarness.Sectors * 512, FileRange.Length(_block.File.Number));
    }

    [Theory]
    [InlineData(Out)]
    [InlineData(Discard)]
    [InlineData(WriteZeroes)]
    public void Museum14_ChangeOfAReadOnlyDisk_IsRefused(uint type)
    {
        using BlockHarness disk = new(readOnly: true);
        byte[] range = new byte[512];
        range[8] = 1;
        int status = disk.Run(type, 0, disk.Guest.Place(range), type == Out ? 512u : 16u, false);
        Assert.Equal(type == Out ? IoError : Unsupported, status);
        Assert.NotEqual(0UL, disk.Device.OfferedFeatures & BlockFeatureBits.ReadOnly);
    }

    [Theory]
    [InlineData(Discard)]
    [InlineData(WriteZeroes)]
    public void Museum15_MillionsOfRanges_AreRefusedByLengthAlone(uint type)
    {
        Assert.Equal(IoError, _block.Run(type, 0, new GuestAddress(0), 0x40_0000, false));
        Assert.Equal(IoError, _block.Run(type, 0, new GuestAddress(0), 17 * 16, false));
        Assert.Equal(IoError, _block.Run(type, 0, new GuestAddress(0), 24, false));
        Assert.Equal(IoError, _block.Run(_block.Header(type, 0), _block.StatusBuffer));
    }

    [Theory]
    [InlineData(Discard, 0, Ok)]
    [InlineData(Discard, 1, Unsupported)] // unmap makes no sense there
    [InlineData(WriteZeroes, 0, Ok)]
    [InlineData(WriteZeroes, 1, Ok)]
    [InlineData(WriteZeroes, 2, Unsupported)] // reserved
    public void DiscardAndWriteZeroes_InsideTheDisk_ReadAsZero(uint type, byte flags, int expected)
    {
        byte[] ones = new byte[4096];
        Array.Fill(ones, (byte)1);
        Assert.Equal(Ok, _block.Run(Out, 8, _block.Guest.Place(ones), 4096, false));
        byte[] range = [8, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, flags, 0, 0, 0];
        int status = _block.Run(type, 0, _block.Guest.Place(range), 16, false);
        Assert.Equal(expected, status);
        Assert.Equal(status == Ok ? new byte[4096] : ones, _block.FileContent(8 * 512, 4096));
        range[8] = BlockHarness.Sectors;
        Assert.NotEqual(Ok, _block.Run(type, 0, _block.Guest.Place(range), 16, false)); // ends beyond the disk
    }

    [Theory]
    [InlineData(Discard, 8, 0x40, Unsupported)] // a reserved flag
    [InlineData(WriteZeroes, 8, 0x40, Unsupported)]
    [InlineData(WriteZeroes, BlockHarness.Sectors, 0, IoError)] // beyond the disk
    public void Ranges_OfWhichTheLastIsBad_ChangeNothing(uint type, byte sector, byte flags, int expected)
    {
        byte[] ones = new byte[4096];
        Array.Fill(ones, (byte)1);
        Assert.Equal(Ok, _block.Run(Out, 8, _block.Guest.Place(ones), 4096, false));
        byte[] ranges = [8, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, sector, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, flags, 0, 0, 0];
        Assert.Equal(expected, _block.Run(type, 0, _block.Guest.Place(ranges), 32, false));
        Assert.Equal(ones, _block.FileContent(8 * 512, 4096));
    }

    [Fact]
    public void Range_LongerThanTheDriverWasTold_IsRefused()
    {
        BlockGeometry disk = new(1UL << 40, false, ulong.MaxValue);
        byte[] longest = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0];
        byte[] longer = [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0x40, 0, 0, 0, 0, 0];
        Assert.Equal(BlockStatus.Ok, Take(longest, disk));
        Assert.Equal(BlockStatus.IoError, Take(longer, disk));
    }

    private BlockStatus Take(byte[] range, in BlockGeometry disk)
    {
        _block.Driver.Add(new DriverBuffer(_block.Guest.Place(range), (uint)range.Length, false));
        DescriptorChain chain = new();
        Assert.True(_block.Device.Queues[0].Ring.TryPop(chain));
        return BlockRange.Take(chain.Readable, BlockOperation.Discard, disk, out _);
    }

    [Fact]
    public void Museum16_NoStatusByte_StopsTheQueue()
    {
        Assert.Equal(-1, _block.Run(_block.Header(In, 0)));
        Assert.Equal(VirtqueueFault.RequestUnanswerable, _block.Device.Queues[0].Ring.Fault);
        Assert.Equal(-1, _block.Run(_block.Header(Flush, 0), _block.StatusBuffer));
    }

    [Fact]
    public void Museum16_StatusDescriptorReadOnly_StopsTheQueue()
    {
        Assert.Equal(-1, _block.Run(_block.Header(Out, 0), new DriverBuffer(_block.Status, 1, false)));
        Assert.Equal(VirtqueueFault.RequestUnanswerable, _block.Device.Queues[0].Ring.Fault);
    }

    [Fact]
    public void Museum16_StatusDescriptorHuge_OnlyItsLastByteIsWritten()
    {
        GuestAddress huge = _block.Guest.Allocate(65536);
        Assert.Equal(0xEE, _block.Run(_block.Header(Out, 0), new DriverBuffer(_block.Guest.Allocate(512), 512, false), new DriverBuffer(huge, 65536, true)));
        byte[] content = _block.Guest.Read(huge, 65536);
        Assert.Equal(IoError, content[^1]); // a write has no place for 65535 bytes of data
        Assert.All(content[..^1], value => Assert.Equal(0, value));
    }

    [Fact]
    public void Header_TooShort_StopsTheQueue()
    {
        Assert.Equal(-1, _block.Run(_block.Header(In, 0) with { LengthBytes = 15 }, _block.StatusBuffer));
        Assert.Equal(VirtqueueFault.RequestUnanswerable, _block.Device.Queues[0].Ring.Fault);
    }

    [Fact]
    public void File_ShorterThanItsCapacity_IsAnIoErrorOfTheGuest()
    {
        using BlockHarness disk = new(fileBytes: 1024);
        GuestAddress data = disk.Guest.Allocate(2048);
        Assert.Equal(Ok, disk.Run(In, 0, data, 1024, true));
        Assert.Equal(IoError, disk.Run(In, 0, data, 2048, true));
        Assert.Equal(IoError, disk.Run(Out, 1, data, 1024, false)); // the file is sealed against growing
    }

    [Fact]
    public void Museum11_HeaderRewrittenWhileServed_NeverLeavesTheDisk()
    {
        DriverBuffer header = _block.Header(Out, 0);
        GuestAddress data = _block.Guest.Allocate(512);
        bool stop = false;
        Thread flipper = new(() =>
        {
            byte[] inside = new byte[8];
            byte[] outside = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0];
            while (!Volatile.Read(ref stop))
            {
                _block.Guest.Write(new GuestAddress(header.Address.Value + 8), inside);
                _block.Guest.Write(new GuestAddress(header.Address.Value + 8), outside);
            }
        });
        flipper.Start();
        for (int round = 0; round < 20_000; round++)
        {
            int status = _block.Run(header, new DriverBuffer(data, 512, false), _block.StatusBuffer);
            Assert.True(status is Ok or IoError, $"status {status}");
        }

        Volatile.Write(ref stop, true);
        flipper.Join();
        Assert.Equal(BlockHarness.Sectors * 512, FileRange.Length(_block.File.Number));
    }

    [Fact]
    public void ConfigSpace_TellsTheDriverWhatTheDiskIs()
    {
        ReadOnlySpan<byte> space = _block.Device.ConfigSpace;
        Assert.Equal(60, space.Length);
        Assert.Equal(BlockHarness.Sectors, space[0]);
        Assert.Equal(254, space[12]);
        Assert.Equal(2, space[21]); // 512
    }
}
