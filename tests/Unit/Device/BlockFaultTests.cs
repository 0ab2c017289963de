using System.Buffers.Binary;
using System.Diagnostics;
using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Testing;

namespace Sandbox.Unit.Tests.Device;

/// <summary>The real process on a host that fails it: an I/O error or a pause for the guest, and the process lives on.</summary>
public sealed class BlockFaultTests : IDisposable
{
    private const uint In = 0;
    private const uint Out = 1;
    private const uint Flush = 4;
    private const int Ok = 0;
    private const int IoError = 1;
    private const int DiskBytes = 65536;

    private readonly TestGuest _guest = new();
    private readonly FdHandle _kick = EventFd.Create();
    private readonly FdHandle _call = EventFd.Create();
    private readonly DriverQueue _driver;

    public BlockFaultTests() => _driver = new DriverQueue(_guest, 32);

    public void Dispose()
    {
        _call.Dispose();
        _kick.Dispose();
        _guest.Dispose();
    }

    [Fact]
    public void Medium_WithoutSpace_IsAnErrorOfTheWriteAlone()
    {
        using FdHandle full = FileOpen.ReadWrite("/dev/full");
        using DeviceProcess process = Start(full);
        Assert.Equal(IoError, Request(Out, 0, Data(false)));
        Assert.Equal(Ok, Request(In, 0, Data(true))); // reads as zeroes
        Assert.Equal(IoError, Request(Out, 8, Data(false)));
    }

    [Fact]
    public void File_CutShortUnderTheGuest_IsAnErrorWhereItIsMissing()
    {
        using FdHandle file = MemFd.Create("disk");
        LinuxException.Check(FdIo.WriteAll(file.Number, new byte[DiskBytes]), "write");
        using DeviceProcess process = Start(file);
        Assert.Equal(Ok, Request(In, 100, Data(true)));
        using (FileStream cut = new($"/proc/self/fd/{file.Number}", FileMode.Open))
        {
            cut.SetLength(4096 * 2);
        }

        Assert.Equal(Ok, Request(In, 8, Data(true)));
        Assert.Equal(IoError, Request(In, 100, Data(true)));
        Assert.Equal(IoError, Request(In, 12, Data(true))); // half of it is there
        Assert.Equal(Ok, Request(Out, 96, Data(false))); // and the file grows back, to the disk's size at most
        Assert.Equal(Ok, Request(In, 96, Data(true)));
    }

    [Fact]
    public void File_ThatCannotBeWritten_IsAnErrorOfTheWrite()
    {
        using FdHandle file = FileOpen.Read("/proc/self/exe"); // opened for reading, said to be a disk that can be written
        using DeviceProcess process = Start(file);
        Assert.Equal(IoError, Request(Out, 0, Data(false)));
        Assert.Equal(Ok, Request(In, 0, Data(true)));
    }

    [Fact]
    public void Medium_ThatCannotBeFlushed_IsAnErrorOfTheFlush()
    {
        using FdHandle zero = FileOpen.ReadWrite("/dev/zero"); // fdatasync: EINVAL
        using DeviceProcess process = Start(zero);
        Assert.Equal(Ok, Request(Out, 0, Data(false)));
        Assert.Equal(IoError, Request(Flush, 0));
    }

    /// <summary>A file in memory (tmpfs) cannot zero a range at once: the process may take the two steps that come to the same.</summary>
    [Theory]
    [InlineData(11, 0)] // discard
    [InlineData(13, 0)] // write zeroes
    [InlineData(13, 1)] // and they may be unmapped
    public void Range_OfAFileInMemory_IsClearedUnderTheFilter(uint type, byte flags)
    {
        using FdHandle file = MemFd.Create("disk");
        byte[] ones = new byte[DiskBytes];
        Array.Fill(ones, (byte)1);
        LinuxException.Check(FdIo.WriteAll(file.Number, ones), "write");
        using DeviceProcess process = Start(file);
        GuestAddress range = _guest.Place([8, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, flags, 0, 0, 0]);
        Assert.Equal(Ok, Request(type, 0, new DriverBuffer(range, 16, false)));
        byte[] cleared = new byte[4096];
        Assert.Equal(4096, FdIo.ReadAt(file.Number, cleared, 4096));
        Assert.All(cleared, value => Assert.Equal(0, value));
        Assert.Equal(Ok, Request(In, 0, Data(true))); // and it lives
    }

    [Fact]
    public void Process_Stopped_IsAPauseOfItsRequests()
    {
        using FdHandle file = MemFd.Create("disk");
        LinuxException.Check(FdIo.WriteAll(file.Number, new byte[DiskBytes]), "write");
        using DeviceProcess process = Start(file);
        Signal("STOP", process.Pid);
        GuestAddress status = Offer(In, 0, Data(true));
        Assert.Equal(0, Poll.Wait(_call.Number, PollEvents.Readable, 500, out _));
        Assert.Equal(0xEE, _guest.Read(status, 1)[0]);
        Signal("CONT", process.Pid);
        Assert.Equal(Ok, Answer(status));
    }

    private DeviceProcess Start(FdHandle file)
    {
        DeviceProcess process = DeviceProcess.Start(new DeviceLaunchSpec { Kind = DeviceKind.Block, CapacityBytes = DiskBytes, SerialId = "disk" }, file);
        process.Frontend.Negotiate(_guest);
        process.Frontend.StartRing(0, _driver, _kick.Number, _call.Number);
        return process;
    }

    private DriverBuffer Data(bool deviceWrites) => new(_guest.Allocate(4096), 4096, deviceWrites);

    private int Request(uint type, ulong sector, params ReadOnlySpan<DriverBuffer> data) => Answer(Offer(type, sector, data));

    private GuestAddress Offer(uint type, ulong sector, params ReadOnlySpan<DriverBuffer> data)
    {
        byte[] header = new byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(header, type);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(8), sector);
        GuestAddress status = _guest.Place([0xEE]);
        _ = EventFd.TryConsume(_call.Number);
        _driver.WantCallAt(_driver.UsedIndex);
        _ = _driver.Add([new DriverBuffer(_guest.Place(header), 16, false), .. data, new DriverBuffer(status, 1, true)]);
        _ = EventFd.Signal(_kick.Number);
        return status;
    }

    private int Answer(GuestAddress status)
    {
        while (!_driver.TryTakeUsed(out _, out _))
        {
            Assert.Equal(1, Poll.Wait(_call.Number, PollEvents.Readable, 10_000, out _));
            _ = EventFd.TryConsume(_call.Number);
        }

        return _guest.Read(status, 1)[0];
    }

    private static void Signal(string name, int pid)
    {
        using Process kill = Process.Start("kill", [$"-{name}", $"{pid}"]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }
}
