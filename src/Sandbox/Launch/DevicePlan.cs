using Sandbox.Control;
using Sandbox.Control.Agent;
using Sandbox.Control.Launch;
using Sandbox.Linux;

namespace Sandbox.Launch;

/// <summary>A device of the machine and the process that will be it.</summary>
/// <param name="Name">For messages, for example "sandbox-device (disk1)".</param>
/// <param name="Device">What the VMM is told.</param>
/// <param name="Spec">What the device process is told.</param>
/// <param name="Backing">Its backing fds, borrowed, in order.</param>
internal sealed record DevicePlan(string Name, VmmDevice Device, DeviceLaunchSpec Spec, IReadOnlyList<FdHandle> Backing)
{
    /// <summary>The root disk is first (the guest's /dev/vda), then the further disks, then vsock, the entropy source and the network.</summary>
    /// <param name="files">The disks.</param>
    /// <param name="agent">The socket that becomes the guest's connection to the agent's port.</param>
    public static List<DevicePlan> For(LaunchFiles files, FdHandle agent)
    {
        List<DevicePlan> plans = [Block("root", files.Root.Disk)];
        foreach (DiskImage disk in files.Disks)
        {
            plans.Add(Block(disk.SerialId, disk));
        }

        plans.Add(new DevicePlan(
            "sandbox-device (vsock)",
            new VmmDevice(DeviceKind.Vsock, VsockQueues),
            new DeviceLaunchSpec { Kind = DeviceKind.Vsock, GuestCid = GuestCid, VsockPorts = [AgentLimits.VsockPort] },
            [agent]));
        plans.Add(new DevicePlan("sandbox-device (rng)", new VmmDevice(DeviceKind.Entropy, 1), new DeviceLaunchSpec { Kind = DeviceKind.Entropy }, []));
        if (files.Network is { } network)
        {
            plans.Add(new DevicePlan(
                "sandbox-device (net)",
                new VmmDevice(DeviceKind.Network, NetworkQueues),
                new DeviceLaunchSpec
                {
                    Kind = DeviceKind.Network,
                    NetBacking = network.Kind,
                    MacAddress = network.MacAddress,
                    Mtu = network.Mtu,
                    BytesPerSecond = files.Options.Network!.BytesPerSecond,
                },
                [network.Device]));
        }

        return plans;
    }

    /// <summary>virtio 1.2, 5.1.2: receive and transmit.</summary>
    private const int NetworkQueues = 2;

    /// <summary>virtio 1.2, 5.10.2: rx, tx, event.</summary>
    private const int VsockQueues = 3;

    /// <summary>The first that a guest may have; every microVM is alone on its own vsock.</summary>
    private const uint GuestCid = 3;

    private static DevicePlan Block(string name, DiskImage disk) => new(
        $"sandbox-device ({name})",
        new VmmDevice(DeviceKind.Block, 1),
        new DeviceLaunchSpec { Kind = DeviceKind.Block, ReadOnly = disk.ReadOnly, CapacityBytes = disk.Bytes, SerialId = disk.SerialId },
        [disk.File]);
}
