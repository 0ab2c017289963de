using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.Virtio.Block;

namespace Sandbox.Unit.Tests.Device;

/// <summary>
/// What a power cut would leave. The real process is traced: a recorder keeps, in the order of the kernel, what was written to the file, when
/// it was synchronized, and when the driver was told. A cut at any moment may take every write after the last synchronization; what the
/// driver was promised must be before it.
/// </summary>
public sealed partial class PowerCutTests : IDisposable
{
    private const int DiskBytes = 1 << 20;
    private const uint Out = 1;
    private const uint Flush = 4;

    private readonly string _folder = Directory.CreateTempSubdirectory("cut").FullName;
    private readonly TestGuest _guest = new();
    private readonly FdHandle _kick = EventFd.Create();
    private readonly FdHandle _call = EventFd.Create();
    private readonly DriverQueue _driver;

    public PowerCutTests() => _driver = new DriverQueue(_guest, 64);

    public void Dispose()
    {
        _call.Dispose();
        _kick.Dispose();
        _guest.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)] // a driver that does not flush, or chose write-through: each write counts when it is answered
    public void WhatTheDriverWasPromised_IsOnTheMediumWhenItIsTold(bool writeback)
    {
        string image = Path.Combine(_folder, "disk");
        File.WriteAllBytes(image, new byte[DiskBytes]);
        List<Event> events = Record(image, () =>
        {
            Random random = new(8);
            for (int round = 0; round < 40; round++)
            {
                // Several at once, so that writes and flushes meet in one turn of the device.
                // But a queue that has just begun tells at once, of whatever is done by then: one request alone.
                int writes = round != 0 ? random.Next(1, 4) : writeback ? 0 : 1;
                for (int write = 0; write < writes; write++)
                {
                    Offer(Out, (ulong)random.Next(DiskBytes / 4096) * 8, new DriverBuffer(_guest.Allocate(4096), 4096, false));
                }

                if (writeback)
                {
                    Offer(Flush, 0);
                }

                TakeAll(writes + (writeback ? 1 : 0));
            }
        }, writeback ? 0 : BlockFeatureBits.Flush);

        // Of several threads' calls: a synchronization is for what was written when it began.
        int writes = 0, covered = 0, durable = 0, told = 0;
        foreach (Event happened in events)
        {
            switch (happened)
            {
                case Event.Write:
                    writes++;
                    break;
                case Event.SyncBegins:
                    covered = writes;
                    break;
                case Event.SyncEnds:
                    durable = covered;
                    break;
                default:
                    told++;
                    Assert.True(durable == writes, $"the driver was told with {writes - durable} writes not yet on the medium");
                    break;
            }
        }

        Assert.True(writes >= 40, $"{writes} writes recorded");
        Assert.True(told >= 20, $"{told} calls recorded"); // one a round, fewer where the driver looked before it was told
    }

    private enum Event
    {
        Write,
        SyncBegins,
        SyncEnds,
        Told,
    }

    // In the kernel's order: when each call returned, of a synchronization also when it began.
    private List<Event> Record(string image, Action drive, ulong unwanted)
    {
        string log = Path.Combine(_folder, "log");
        using FdHandle file = FileOpen.ReadWrite(image);
        using DeviceProcess process = DeviceProcess.Start(new DeviceLaunchSpec { Kind = DeviceKind.Block, CapacityBytes = DiskBytes, SerialId = "disk" }, file);
        Assert.Equal(LaunchMessageType.Ready, process.ReceiveControl(out _));
        process.Frontend.Negotiate(_guest, unwanted | BlockFeatureBits.ConfigWriteback);
        using Process recorder = Process.Start(new ProcessStartInfo(
            "strace", ["-f", "-y", "-o", log, "-e", "trace=pwritev,fdatasync,write", "-p", process.Pid.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardError = true,
        })!;
        _ = recorder.StandardError.ReadLine(); // "Process N attached"
        // What it has from its start is between its threads; what comes with the ring is the driver's.
        HashSet<string> own = [.. Directory.GetFiles($"/proc/{process.Pid}/fd").Select(static path => Path.GetFileName(path))];
        process.Frontend.StartRing(0, _driver, _kick.Number, _call.Number);
        drive();
        process.Dispose();
        recorder.WaitForExit();

        List<Event> events = [];
        Dictionary<string, (string Name, string Fd, string Path)> begun = [];
        foreach (string line in File.ReadLines(log))
        {
            if (CallBegins().Match(line) is { Success: true } begins)
            {
                begun[begins.Groups["thread"].Value] = (begins.Groups["name"].Value, begins.Groups["fd"].Value, begins.Groups["path"].Value);
                if (begins.Groups["name"].Value == "fdatasync")
                {
                    events.Add(Event.SyncBegins);
                }
            }

            if (CallEnds().Match(line) is { Success: true } ends && ends.Groups["result"].Value != "-1")
            {
                (string name, string fd, string path) = begun[ends.Groups["thread"].Value];
                switch (name)
                {
                    case "pwritev":
                        Assert.Equal(image, path);
                        events.Add(Event.Write);
                        break;
                    case "fdatasync":
                        events.Add(Event.SyncEnds);
                        break;
                    default:
                        if (!own.Contains(fd))
                        {
                            events.Add(Event.Told);
                        }

                        break;
                }
            }
        }

        return events;
    }

    // A line a call, or two where another thread's came between: "N name(… <unfinished ...>" and "N <... name resumed>…".
    [GeneratedRegex(@"^(?<thread>\d+) +(?<name>pwritev|fdatasync|write)\((?<fd>\d+)<(?<path>[^>]*)>")]
    private static partial Regex CallBegins();

    [GeneratedRegex(@"^(?<thread>\d+) .*\) += (?<result>-?\d+)")]
    private static partial Regex CallEnds();

    private void Offer(uint type, ulong sector, params ReadOnlySpan<DriverBuffer> data)
    {
        byte[] header = new byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(header, type);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(8), sector);
        _ = _driver.Add([new DriverBuffer(_guest.Place(header), 16, false), .. data, new DriverBuffer(_guest.Place([0xEE]), 1, true)]);
    }

    private void TakeAll(int count)
    {
        _driver.WantCallAt((ushort)(_driver.UsedIndex + count - 1));
        _ = EventFd.Signal(_kick.Number);
        for (int taken = 0; taken < count;)
        {
            if (_driver.TryTakeUsed(out _, out _))
            {
                taken++;
                continue;
            }

            Assert.Equal(1, Poll.Wait(_call.Number, PollEvents.Readable, 20_000, out _));
            _ = EventFd.TryConsume(_call.Number);
        }
    }
}
