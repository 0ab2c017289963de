using Sandbox.Control;
using Sandbox.Control.Agent;
using Sandbox.Control.Launch;
using Sandbox.Linux;

namespace Sandbox.Launch;

/// <summary>A device of the machine and the process that will be it; without a specification a stranger's process, to which the one backing fd is connected.</summary>
/// <param name="name">For messages, for example "sandbox-device (disk1)".</param>
/// <param name="device">What the VMM is told.</param>
/// <param name="spec">What the device process is told.</param>
/// <param name="backing">Its backing fds, borrowed, in order.</param>
internal sealed class DevicePlan(string name, VmmDevice device, DeviceLaunchSpec? spec, IReadOnlyList<FdHandle> backing)
{
    public string Name { get; } = name;

    public VmmDevice Device { get; } = device;

    public DeviceLaunchSpec? Spec { get; } = spec;

    public IReadOnlyList<FdHandle> Backing { get; } = backing;

    /// <summary>What its command line says: of <see cref="DeviceArguments"/>.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Vsock: the program's socket behind each of the host's ports, in the order of the spec, empty for the agent's; it may ask for more connections to them.</summary>
    public IReadOnlyList<string> ConnectPaths { get; init; } = [];

    /// <summary>The root disk is first (the guest's /dev/vda), then the further disks, then vsock, the entropy source, the balloon, the network and what strangers serve.</summary>
    /// <param name="files">The disks.</param>
    /// <param name="agent">The socket that becomes the guest's connection to the agent's port.</param>
    /// <param name="ports">Those for <see cref="MicroVmOptions.VsockPorts"/>, in their order; none: no such port.</param>
    /// <param name="backends">Connected to those of <see cref="MicroVmOptions.VhostUserDevices"/>, in their order; none: no such device.</param>
    public static List<DevicePlan> For(LaunchFiles files, FdHandle agent, IReadOnlyList<FdHandle> ports, IReadOnlyList<FdHandle> backends)
    {
        // A queue for each vCPU, so that they do not wait for each other's lock.
        int queues = Math.Min(files.Options.CpuCount, MaxBlockQueues);
        List<DevicePlan> plans = [Block("root", files.Root.Disk, queues, files.Options.DiskRate)];
        for (int index = 0; index < files.Disks.Count; index++)
        {
            // The proof adds one that no option names.
            DiskRateOptions? own = index < files.Options.Disks.Count ? files.Options.Disks[index].Rate : null;
            plans.Add(Block(files.Disks[index].SerialId, files.Disks[index], queues, own ?? files.Options.DiskRate));
        }

        List<uint> hostPorts = [AgentLimits.VsockPort];
        List<uint> guestPorts = [];
        List<string> hostPaths = [""];
        List<FdHandle> hostSockets = [agent];
        List<FdHandle> guestSockets = [];
        for (int index = 0; index < ports.Count; index++)
        {
            VsockPortOptions port = files.Options.VsockPorts[index];
            (port.GuestListens ? guestPorts : hostPorts).Add(port.Port);
            (port.GuestListens ? guestSockets : hostSockets).Add(ports[index]);
            if (!port.GuestListens)
            {
                hostPaths.Add(port.SocketPath);
            }
        }

        // Not replaceable: what its connections had under way died with it, and the agent's connection is the microVM's life.
        plans.Add(new DevicePlan(
            "sandbox-device (vsock)",
            new VmmDevice(DeviceKind.Vsock, VsockQueues),
            new DeviceLaunchSpec { Kind = DeviceKind.Vsock, GuestCid = GuestCid, VsockPorts = hostPorts, VsockGuestPorts = guestPorts },
            [.. hostSockets, .. guestSockets])
        {
            ConnectPaths = hostPaths,
        });
        plans.Add(new DevicePlan("sandbox-device (rng)", new VmmDevice(DeviceKind.Entropy, 1, replaceable: true), new DeviceLaunchSpec { Kind = DeviceKind.Entropy }, []));
        if (files.Balloon)
        {
            plans.Add(new DevicePlan("sandbox-device (balloon)", new VmmDevice(DeviceKind.Balloon, BalloonQueues, replaceable: true), new DeviceLaunchSpec { Kind = DeviceKind.Balloon }, []));
        }

        if (files.Network is { } network)
        {
            int pairs = files.Options.Network?.QueuePairCount ?? 1;
            plans.Add(new DevicePlan(
                "sandbox-device (net)",
                // A frame of a tap interface that is sent twice or lost is nothing new to a network. A stream whose reader died in the midst of a frame is no stream.
                new VmmDevice(DeviceKind.Network, NetworkQueues.Of(pairs), replaceable: network.Kind == NetBackingKind.Tap),
                new DeviceLaunchSpec
                {
                    Kind = DeviceKind.Network,
                    NetBacking = network.Kind,
                    MacAddress = network.MacAddress,
                    Mtu = network.Mtu,
                    QueueCount = pairs,
                    BytesPerSecond = files.Options.Network?.BytesPerSecond ?? 0,
                },
                [network.Device]));
        }

        // Last, so that the places of our own processes are those of the plan.
        for (int index = 0; index < backends.Count; index++)
        {
            VhostUserDeviceOptions stranger = files.Options.VhostUserDevices[index];
            VmmDevice device = stranger.Type switch
            {
                VhostUserDeviceType.Entropy => new(DeviceKind.Entropy, 1),
                VhostUserDeviceType.FileSystem => new(DeviceKind.FileSystem, FileSystemQueues, tag: stranger.Tag),
                _ => new(DeviceKind.Block, 1),
            };
            plans.Add(new DevicePlan($"vhost-user {stranger.SocketPath}", device, null, [backends[index]]));
        }

        return plans;
    }

    /// <summary>One thread serves them all: more queues than this would only cost guest memory.</summary>
    private const int MaxBlockQueues = 4;

    /// <summary>virtio 1.2, 5.10.2: rx, tx, event.</summary>
    private const int VsockQueues = 3;

    /// <summary>virtio 1.2, 5.5.2: inflate, deflate, reporting.</summary>
    private const int BalloonQueues = 3;

    /// <summary>virtio 1.2, 5.11.2: urgent requests, and one queue of others.</summary>
    private const int FileSystemQueues = 2;

    /// <summary>The first that a guest may have; every microVM is alone on its own vsock.</summary>
    private const uint GuestCid = 3;

    private static DevicePlan Block(string name, DiskImage disk, int queues, DiskRateOptions rate) => new(
        $"sandbox-device ({name})",
        new VmmDevice(DeviceKind.Block, queues, replaceable: true),
        new DeviceLaunchSpec
        {
            Kind = DeviceKind.Block,
            ReadOnly = disk.ReadOnly,
            Direct = disk.Direct,
            CapacityBytes = disk.Bytes,
            SerialId = disk.SerialId,
            QueueCount = queues,
            BytesPerSecond = rate.BytesPerSecond,
            OperationsPerSecond = rate.OperationsPerSecond,
        },
        [disk.File])
    {
        Arguments = disk.MediumWaits ? [DeviceArguments.MediumWaits] : [],
    };
}
