using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Testing;

namespace Sandbox.Unit.Tests.Device.Filters;

/// <summary>A driver that takes random bytes.</summary>
internal sealed class EntropyWorkload : DeviceWorkload
{
    private readonly FdHandle _kick = EventFd.Create();

    protected override DeviceLaunchSpec Spec => new() { Kind = DeviceKind.Entropy };

    protected override FdHandle[] Backings => [];

    public override void Dispose()
    {
        _kick.Dispose();
        base.Dispose();
    }

    protected override void Drive()
    {
        DriverQueue driver = new(Guest, 16);
        Process.Frontend.StartRing(0, driver, _kick.Number, Call.Number);
        driver.Add(new DriverBuffer(Guest.Allocate(64), 64, true));
        EventFd.Signal(_kick.Number);
        Await(() => EventFd.TryConsume(Call.Number), "random bytes");
    }
}
