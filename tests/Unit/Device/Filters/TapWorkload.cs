using Sandbox.Control.Launch;
using Sandbox.Linux;

namespace Sandbox.Unit.Tests.Device.Filters;

/// <summary>The start of a network device on what was opened by its path, as a tap interface is: such an fd says more flags than a socket. No frame goes over it.</summary>
internal sealed class TapWorkload : DeviceWorkload
{
    private readonly FdHandle _interface = FileOpen.ReadWrite("/dev/null");

    protected override DeviceLaunchSpec Spec => new() { Kind = DeviceKind.Network, NetBacking = NetBackingKind.Tap, MacAddress = NetHarness.Own, Mtu = 1500 };

    protected override FdHandle[] Backings => [_interface];

    public override void Dispose()
    {
        _interface.Dispose();
        base.Dispose();
    }

    protected override void Drive()
    {
        // Its start was all.
    }
}
