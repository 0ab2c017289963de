using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.Unit.Tests.Memory;

namespace Sandbox.Unit.Tests.Device;

/// <summary>The real process, under its filter.</summary>
public sealed class BalloonProcessTests : IDisposable
{
    private const uint PageBytes = 4096;
    private const uint ReportingQueue = 2;
    private const long PatienceNanoseconds = 60_000_000_000;

    private readonly TestGuest _guest = new();
    private readonly FdHandle _kick = EventFd.Create();
    private readonly FdHandle _call = EventFd.Create();
    private readonly FdHandle _inflight = MemFd.CreateSealed("inflight", LaunchLimits.InflightBytes);

    public void Dispose()
    {
        _inflight.Dispose();
        _call.Dispose();
        _kick.Dispose();
        _guest.Dispose();
    }

    [Fact]
    public void Process_WithoutAnyFile_ShowsItsConfiguration()
    {
        using DeviceProcess process = Start();
        Assert.Equal(new byte[8], process.Frontend.GetConfig(8));
    }

    /// <summary>Killed again and again among reports, with a successor each time: every report is answered once, and every page is the host's.</summary>
    [Fact]
    public void Process_KilledAmongItsReports_IsReplacedAndAllAreAnswered()
    {
        const int reports = 200;
        DriverQueue driver = new(_guest, 256);
        GuestAddress pages = _guest.Allocate(reports * PageBytes, PageBytes);
        byte[] full = new byte[reports * PageBytes];
        Array.Fill(full, (byte)0x5A);
        _guest.Write(pages, full);
        long before = HostMemory.BytesOf(_guest.File);
        for (uint report = 0; report < reports; report++)
        {
            driver.Add(new DriverBuffer(new GuestAddress(pages.Value + (report * PageBytes)), PageBytes, true));
        }

        bool[] answered = new bool[256];
        int done = 0;
        long began = MonotonicClock.Nanoseconds;
        for (int life = 1; done < reports; life++)
        {
            using DeviceProcess process = Start();
            process.Frontend.StartRing(ReportingQueue, driver, _kick.Number, _call.Number, driver.UsedIndex);
            _ = EventFd.Signal(_kick.Number);
            // The first few lives end when some answers have come; whatever comes after that look, up to the kill, is its successor's to know.
            while (done < (life < 5 ? life * 10 : reports))
            {
                Assert.True(MonotonicClock.Nanoseconds - began < PatienceNanoseconds, "the reports are not answered");
                if (!driver.TryTakeUsed(out uint head, out uint written))
                {
                    Thread.Yield();
                    continue;
                }

                Assert.Equal(0u, written);
                Assert.False(answered[head]);
                answered[head] = true;
                done++;
            }

            process.Kill();
        }

        Assert.Equal(reports, driver.UsedIndex);
        // The rings have touched a page or two meanwhile.
        Assert.InRange(HostMemory.BytesOf(_guest.File), 0, before - ((reports - 4) * PageBytes));
        Assert.Equal(new byte[reports * PageBytes], _guest.Read(pages, (int)(reports * PageBytes)));
    }

    private DeviceProcess Start()
    {
        DeviceProcess process = DeviceProcess.StartRecorded(new DeviceLaunchSpec { Kind = DeviceKind.Balloon }, _inflight);
        Assert.Equal(LaunchMessageType.Ready, process.ReceiveControl(out _));
        process.Frontend.Negotiate(_guest);
        return process;
    }
}
