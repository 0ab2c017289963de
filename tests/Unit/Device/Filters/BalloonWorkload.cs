using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Testing;

namespace Sandbox.Unit.Tests.Device.Filters;

/// <summary>A driver that names a page and reports another.</summary>
internal sealed class BalloonWorkload : DeviceWorkload
{
    private const uint PageBytes = 4096;
    private const uint ReportingQueue = 2;

    private readonly FdHandle _inflateKick = EventFd.Create();
    private readonly FdHandle _reportingKick = EventFd.Create();

    protected override DeviceLaunchSpec Spec => new() { Kind = DeviceKind.Balloon };

    protected override FdHandle[] Backings => [];

    public override void Dispose()
    {
        _inflateKick.Dispose();
        _reportingKick.Dispose();
        base.Dispose();
    }

    protected override void Drive()
    {
        DriverQueue inflate = new(Guest, 16);
        Process.Frontend.StartRing(0, inflate, _inflateKick.Number, Call.Number);
        inflate.Add(new DriverBuffer(Guest.Place([(byte)(Guest.Allocate(PageBytes, PageBytes).Value / PageBytes), 0, 0, 0]), 4, false));
        _ = EventFd.Signal(_inflateKick.Number);
        Await(() => EventFd.TryConsume(Call.Number), "a page's return");
        DriverQueue reporting = new(Guest, 16);
        Process.Frontend.StartRing(ReportingQueue, reporting, _reportingKick.Number, Call.Number);
        reporting.Add(new DriverBuffer(Guest.Allocate(PageBytes, PageBytes), PageBytes, true));
        _ = EventFd.Signal(_reportingKick.Number);
        Await(() => EventFd.TryConsume(Call.Number), "a report's answer");
    }
}
