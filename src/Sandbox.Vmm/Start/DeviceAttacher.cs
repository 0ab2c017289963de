using System.Diagnostics.CodeAnalysis;
using Sandbox.Boot;
using Sandbox.Control;
using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Vmm.VirtioMmio;

namespace Sandbox.Vmm.Start;

/// <summary>Puts the spec's devices on the bus, each in front of the vhost-user socket of its place.</summary>
internal static class DeviceAttacher
{
    /// <summary>False when a backend is of no use: <paramref name="end"/> says which and why.</summary>
    /// <exception cref="LinuxException">The host refused an eventfd.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "Devices live as long as the process: a vCPU can touch them until it ends.")]
    public static bool TryAttach(VmmLaunchSpec spec, Machine machine, GuestMemory memory, EndLatch end)
    {
        for (int index = 0; index < spec.Devices.Count; index++)
        {
            int place = index;
            VmmDevice device = spec.Devices[index];
            DevicePlace at = new(GuestLayout.VirtioMmio(index), (uint)GuestLayout.VirtioGsi(index));
            VhostUserDevice frontend = new(
                device.Kind,
                device.QueueCount,
                InheritedFds.VmmFirstDevice + index,
                at,
                machine,
                memory,
                InheritedFds.VmmGuestMemory,
                why => end.Set(EndReason.BackendLost, (ulong)place, $"device {place} ({device.Kind}): {why}"),
                replaceable: device.Replaceable,
                tag: device.Tag);
            if (!frontend.TryNegotiate())
            {
                return false;
            }

            _ = machine.Registers!.TryGetSlice(at.Registers, (uint)GuestLayout.VirtioMmioBytes, out GuestSlice page); // the page of its place
            VirtioMmioTransport transport = new(frontend, page);
            machine.Mmio.Add(at.Registers, (uint)GuestLayout.VirtioMmioBytes, transport);
            machine.DropAcknowledgements(at.Acknowledge);
            machine.Devices.Add(new AttachedDevice(device, place, frontend, transport));
        }

        return true;
    }
}
