using System.Diagnostics;
using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.Unit.Tests.Device;
using Sandbox.Virtio;
using Sandbox.Vmm.VirtioMmio;
using Xunit.Abstractions;

namespace Sandbox.Unit.Tests.VirtioMmio;

/// <summary>
/// Crash-only: the real device process is killed at random moments under load, another takes its place with the same file and the same
/// record of requests in flight, and the driver notices nothing but the time.
/// </summary>
public sealed class BackendReplacementTests : IDisposable
{
    private const int DiskBytes = 1 << 20;
    private const ulong Registers = 0xD000_0000;
    private const uint Gsi = 5;

    private readonly ITestOutputHelper _output;
    private readonly TestGuest _guest = new();
    private readonly WiringStub _wiring = new();
    private readonly List<string> _losses = [];
    private readonly FdHandle _disk = MemFd.Create("disk");
    private readonly FdHandle _records = MemFd.CreateSealed("records", LaunchLimits.InflightBytes);
    private readonly byte[] _content = new byte[DiskBytes];
    private FdHandle? _firstSocket;
    private MediumFile? _medium;

    public BackendReplacementTests(ITestOutputHelper output)
    {
        _output = output;
        new Random(1).NextBytes(_content);
        LinuxException.Check(FdIo.WriteAll(_disk.Number, _content), "write disk");
    }

    public void Dispose()
    {
        _guest.Dispose();
        _firstSocket?.Dispose();
        _medium?.Dispose();
        _disk.Dispose();
        _records.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // on a medium, past the page cache: several requests are in work when it is killed
    public void DeviceProcess_KilledAHundredTimesUnderLoad_LosesNothingAndRepeatsNothing(bool onMedium)
    {
        _medium = onMedium ? new MediumFile(_content, direct: true) : null;
        int kills = int.TryParse(Environment.GetEnvironmentVariable("KILLS"), out int wanted) ? wanted : 100;
        DeviceProcess process = Start();
        using VhostUserDevice device = Attach(process);
        DiskLoad load = new(_guest, StartDriver(device), Kick, _wiring.IrqFds[Gsi], _content);
        bool done = false;
        Thread driver = new(() => load.Run(() => Volatile.Read(ref done)));
        driver.Start();

        Random random = new(2);
        List<double> outages = [];
        for (int kill = 0; kill < kills; kill++)
        {
            Thread.Sleep(random.Next(15));
            long killed = Stopwatch.GetTimestamp();
            process.Kill();
            process.Dispose();
            process = Start();
            Assert.True(device.Replace(FdIo.Duplicate(process.Frontend.Socket.Number)), string.Join("; ", _losses));
            outages.Add(Stopwatch.GetElapsedTime(killed).TotalMilliseconds);
        }

        Thread.Sleep(50);
        Volatile.Write(ref done, true);
        driver.Join();
        process.Dispose();

        outages.Sort();
        _output.WriteLine($"{kills} kills, {load.Answers} answers; kill to the end of the handover {outages[kills / 2]:0.0} ms (median), {outages[^1]:0.0} ms (worst); longest time without an answer {load.LongestStall.TotalMilliseconds:0} ms");
        Assert.Empty(load.Errors);
        Assert.Empty(_losses);
        Assert.True(load.Answers > kills, $"{load.Answers} answers");
        byte[] onDisk = new byte[DiskBytes];
        if (_medium is null)
        {
            Assert.Equal(DiskBytes, FdIo.ReadAt(_disk.Number, onDisk, 0));
        }
        else
        {
            onDisk = File.ReadAllBytes(_medium.Path);
        }

        Assert.True(_content.AsSpan().SequenceEqual(onDisk));
    }

    [Fact]
    public void DeviceProcess_ThatDiesInTheHandover_IsReplacedInTurn()
    {
        DeviceProcess process = Start();
        using VhostUserDevice device = Attach(process);
        DiskLoad load = new(_guest, StartDriver(device), Kick, _wiring.IrqFds[Gsi], _content);
        process.Kill();
        process.Dispose();

        (FdHandle frontend, FdHandle backend) = UnixSocket.CreatePair();
        backend.Dispose();
        Assert.True(device.Replace(frontend)); // of no use, but another may come

        using DeviceProcess next = Start();
        Assert.True(device.Replace(FdIo.Duplicate(next.Frontend.Socket.Number)));
        int rounds = 0;
        load.Run(() => rounds++ > 20);
        Assert.Empty(load.Errors);
        Assert.Empty(_losses);
    }

    [Fact]
    public void Driver_ThatResetsWhileTheBackendIsGone_StartsWithItsSuccessor()
    {
        DeviceProcess process = Start();
        using VhostUserDevice device = Attach(process);
        MmioDriver registers = new(new VirtioMmioTransport(device));
        _ = StartDriver(registers);
        process.Kill();
        process.Dispose();

        registers.SetStatus(DeviceStatus.None);
        Assert.Equal(0u, registers.Status);
        DriverQueue queue = StartDriver(registers); // nobody is there: its requests wait
        using DeviceProcess next = Start();
        Assert.True(device.Replace(FdIo.Duplicate(next.Frontend.Socket.Number)));

        DiskLoad load = new(_guest, queue, Kick, _wiring.IrqFds[Gsi], _content);
        int rounds = 0;
        load.Run(() => rounds++ > 20);
        Assert.Empty(load.Errors);
        Assert.Empty(_losses);
    }

    [Fact]
    public void Successor_ThatCanDoLess_IsNone()
    {
        DeviceProcess process = Start();
        using VhostUserDevice device = Attach(process);
        _ = StartDriver(device);
        process.Kill();
        process.Dispose();

        using DeviceProcess other = DeviceProcess.Start(new DeviceLaunchSpec { Kind = DeviceKind.Entropy });
        Assert.False(device.Replace(FdIo.Duplicate(other.Frontend.Socket.Number)));
        Assert.Contains("BackendTooWeak", Assert.Single(_losses), StringComparison.Ordinal);
    }

    [Fact]
    public void Successor_OfADiskThatHasGrown_IsANewConfigurationForTheDriver()
    {
        DeviceProcess process = Start();
        using VhostUserDevice device = Attach(process);
        VirtioMmioTransport transport = new(device);
        MmioDriver registers = new(transport);
        AttachedDevice attached = new(new VmmDevice(DeviceKind.Block, 1, replaceable: true), 0, device, transport);
        DriverQueue queue = StartDriver(registers);
        process.Kill();
        process.Dispose();
        process = Start();
        Assert.True(attached.Replace(FdIo.Duplicate(process.Frontend.Socket.Number)));
        Assert.Equal((1u, 0u), (registers.Read(MmioRegister.InterruptStatus), registers.Read(MmioRegister.ConfigGeneration))); // the same disk: no news

        process.Kill();
        process.Dispose();
        using DeviceProcess grown = Start(2 * DiskBytes);
        Assert.True(attached.Replace(FdIo.Duplicate(grown.Frontend.Socket.Number)));

        Assert.Equal((3u, 1u), (registers.Read(MmioRegister.InterruptStatus), registers.Read(MmioRegister.ConfigGeneration)));
        Assert.Equal(2u * DiskBytes / 512, registers.Read(MmioRegister.Config));
        DiskLoad load = new(_guest, queue, Kick, _wiring.IrqFds[Gsi], _content);
        int rounds = 0;
        load.Run(() => rounds++ > 20);
        Assert.Empty(load.Errors);
        Assert.Empty(_losses);
    }

    [Fact]
    public void Ring_BrokenByItsDriver_DemandsAResetOnceAndRecoversByIt()
    {
        using DeviceProcess process = Start();
        using VhostUserDevice device = Attach(process);
        VirtioMmioTransport transport = new(device);
        MmioDriver registers = new(transport);
        AttachedDevice attached = new(new VmmDevice(DeviceKind.Block, 1, replaceable: true), 0, device, transport);
        for (int round = 1; round <= 3; round++)
        {
            DriverQueue broken = StartDriver(registers);
            broken.RawAvailableIndex(0x4000);
            _ = EventFd.Signal(Kick);
            Assert.Equal(1, Poll.Wait(attached.ErrorEvent, PollEvents.Readable, 5000, out _));
            Assert.Equal(round == 1, attached.TakeRingFault());
            Assert.False(attached.TakeRingFault());
            Assert.Equal(0x4Fu, registers.Status);
            Assert.Equal(3u, registers.Read(MmioRegister.InterruptStatus));
            Assert.Equal((ulong)round, attached.RingFaults);

            registers.SetStatus(DeviceStatus.None);
            DiskLoad load = new(_guest, StartDriver(registers), Kick, _wiring.IrqFds[Gsi], _content);
            int rounds = 0;
            load.Run(() => rounds++ > 20);
            Assert.Empty(load.Errors);
            registers.SetStatus(DeviceStatus.None);
        }

        Assert.Empty(_losses);
    }

    private int Kick => _wiring.IoEventFds[(Registers + 0x50, 0)];

    private DeviceProcess Start(long bytes = DiskBytes) =>
        DeviceProcess.StartRecorded(
            new DeviceLaunchSpec { Kind = DeviceKind.Block, CapacityBytes = bytes, SerialId = "disk", Direct = _medium is not null }, _records, _medium?.File ?? _disk);

    private VhostUserDevice Attach(DeviceProcess process)
    {
        _firstSocket = FdIo.Duplicate(process.Frontend.Socket.Number);
        VhostUserDevice device = new(
            DeviceKind.Block, 1, _firstSocket.Number, new DevicePlace(new GuestAddress(Registers), Gsi), _wiring, _guest.Memory,
            _guest.File.Number, _losses.Add, replaceable: true);
        Assert.True(device.TryNegotiate(), string.Join("; ", _losses));
        return device;
    }

    private DriverQueue StartDriver(VhostUserDevice device) => StartDriver(new MmioDriver(new VirtioMmioTransport(device)));

    private DriverQueue StartDriver(MmioDriver registers)
    {
        DriverQueue queue = new(_guest, 64);
        registers.Negotiate();
        registers.Write(MmioRegister.QueueSel, 0);
        registers.Write(MmioRegister.QueueNum, queue.Size);
        registers.WriteAddress(MmioRegister.QueueDescLow, queue.Layout.DescriptorTable.Value);
        registers.WriteAddress(MmioRegister.QueueDriverLow, queue.Layout.AvailableRing.Value);
        registers.WriteAddress(MmioRegister.QueueDeviceLow, queue.Layout.UsedRing.Value);
        registers.Write(MmioRegister.QueueReady, 1);
        registers.DriverOk();
        Assert.Equal(0x0Fu, registers.Status);
        return queue;
    }
}
