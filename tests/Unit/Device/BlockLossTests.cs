using System.Buffers.Binary;
using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.VhostUser;
using Sandbox.Virtio.Block;

namespace Sandbox.Unit.Tests.Device;

/// <summary>The real process on a medium that refuses a synchronization which no request of the driver's waits for: the kernel says it once, the driver must hear of it.</summary>
public sealed class BlockLossTests : IDisposable
{
    private const uint Out = 1;
    private const uint Flush = 4;
    private const int Ok = 0;
    private const int IoError = 1;
    private const int DiskBytes = 65536;

    private static readonly DeviceLaunchSpec Spec = new() { Kind = DeviceKind.Block, CapacityBytes = DiskBytes, SerialId = "disk" };

    private readonly TestGuest _guest = new();
    private readonly FdHandle _kick = EventFd.Create();
    private readonly FdHandle _call = EventFd.Create();
    private readonly FdHandle _inflight = MemFd.CreateSealed("inflight", LaunchLimits.InflightBytes);
    private readonly FdHandle _bad = FileOpen.ReadWrite("/dev/zero"); // fdatasync: EINVAL
    private readonly FdHandle _good = MemFd.CreateSealed("disk", DiskBytes);
    private readonly DriverQueue _driver;

    public BlockLossTests() => _driver = new DriverQueue(_guest, 32);

    public void Dispose()
    {
        _good.Dispose();
        _bad.Dispose();
        _inflight.Dispose();
        _call.Dispose();
        _kick.Dispose();
        _guest.Dispose();
    }

    [Fact]
    public void WriteThrough_ChosenOnAMediumThatFails_IsTakenAndTheNextWriteFails()
    {
        using DeviceProcess process = Start(_bad);
        Assert.Equal(Ok, Request(Out));
        SetWriteback(process, on: false);
        Assert.Equal(0, process.Frontend.GetConfig(BlockConfigSpace.SizeBytes)[BlockConfigSpace.WritebackOffset]);
        Assert.Equal(IoError, Request(Out));
        Assert.False(process.HasEnded);
    }

    [Theory]
    [InlineData(true, Flush)]
    [InlineData(false, Out)]
    public void Loss_OwedByAProcessThatDied_IsToldByItsSuccessorOnce(bool writeback, uint request)
    {
        using (DeviceProcess process = Start(_bad))
        {
            Assert.Equal(Ok, Request(Out));
            SetWriteback(process, on: false); // it synchronizes, fails, and has nobody to tell
            _ = process.Frontend.GetConfig(BlockConfigSpace.SizeBytes);
            process.Kill();
        }

        for (int life = 0; life < 2; life++)
        {
            using DeviceProcess successor = Start(_good);
            SetWriteback(successor, writeback);
            if (writeback)
            {
                Assert.Equal(Ok, Request(Out)); // not a promise
            }

            Assert.Equal(life == 0 ? IoError : Ok, Request(request));
            Assert.Equal(Ok, Request(request));
            successor.Kill();
        }
    }

    private DeviceProcess Start(FdHandle medium)
    {
        DeviceProcess process = DeviceProcess.StartRecorded(Spec, _inflight, medium);
        _ = process.Frontend.Negotiate(_guest);
        byte[] area = new byte[InflightArea.PayloadBytes];
        VhostUserCodec.WriteInflight(area, new InflightArea(InflightArea.RecordBytes((ushort)_driver.Size), 0, 1, (ushort)_driver.Size));
        process.Frontend.Send(FrontendRequest.SetInflightFd, area, _inflight.Number);
        process.Frontend.StartRing(0, _driver, _kick.Number, _call.Number, _driver.UsedIndex);
        return process;
    }

    private static void SetWriteback(DeviceProcess process, bool on)
    {
        byte[] payload = new byte[ConfigRange.SizeBytes + 1];
        VhostUserCodec.WriteConfigRange(payload, new ConfigRange(BlockConfigSpace.WritebackOffset, 1, 0));
        payload[^1] = on ? (byte)1 : (byte)0;
        process.Frontend.Send(FrontendRequest.SetConfig, payload);
        Assert.Equal(payload[^1], process.Frontend.GetConfig(BlockConfigSpace.SizeBytes)[BlockConfigSpace.WritebackOffset]); // it has been heard
    }

    private int Request(uint type)
    {
        byte[] header = new byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(header, type);
        GuestAddress status = _guest.Place([0xEE]);
        _ = EventFd.TryConsume(_call.Number);
        _driver.WantCallAt(_driver.UsedIndex);
        DriverBuffer first = new(_guest.Place(header), 16, false);
        DriverBuffer last = new(status, 1, true);
        _ = type == Flush ? _driver.Add(first, last) : _driver.Add(first, new DriverBuffer(_guest.Allocate(512), 512, false), last);
        _ = EventFd.Signal(_kick.Number);
        while (!_driver.TryTakeUsed(out _, out _))
        {
            Assert.Equal(1, Poll.Wait(_call.Number, PollEvents.Readable, 10_000, out _));
            _ = EventFd.TryConsume(_call.Number);
        }

        return _guest.Read(status, 1)[0];
    }
}
