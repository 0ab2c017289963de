using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.Vmm.VirtioMmio;

namespace Sandbox.Unit.Tests.VirtioMmio;

/// <summary>What the VMM shows the guest of a balloon.</summary>
public sealed class BalloonTests : IDisposable
{
    private readonly TestGuest _guest = new();
    private readonly WiringStub _wiring = new();
    private readonly List<string> _losses = [];

    public void Dispose() => _guest.Dispose();

    [Fact]
    public void Balloon_ThroughTheVmm_ShowsItsFeaturesAndNoTarget()
    {
        using DeviceProcess process = DeviceProcess.Start(new DeviceLaunchSpec { Kind = DeviceKind.Balloon });
        using FdHandle socket = FdIo.Duplicate(process.Frontend.Socket.Number);
        using VhostUserDevice device = new(
            DeviceKind.Balloon, 3, socket.Number, new DevicePlace(new GuestAddress(0xD000_0000), 5), _wiring, _guest.Memory, _guest.File.Number, _losses.Add);
        Assert.True(device.TryNegotiate(), string.Join("; ", _losses));
        Assert.Equal(5u, device.DeviceId);
        Assert.Equal(new byte[8], device.Config.ToArray());
        Assert.Equal((1UL << 32) | (1UL << 29) | (1UL << 28) | (1UL << 5) | (1UL << 2), device.OfferedFeatures);
        device.WriteConfig(device.OfferedFeatures, 4, [1, 0, 0, 0]); // "actual": nobody asks for it
        Assert.Equal(new byte[8], device.Config.ToArray());
    }
}
