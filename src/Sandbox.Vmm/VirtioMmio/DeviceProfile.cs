using Sandbox.Control.Launch;
using Sandbox.Virtio;
using Sandbox.Virtio.Balloon;
using Sandbox.Virtio.Block;
using Sandbox.Virtio.Net;

namespace Sandbox.Vmm.VirtioMmio;

/// <summary>What this VMM lets through of a kind of device, whatever its backend offers.</summary>
/// <param name="ConfigBytes">How much of the configuration space is asked for; 0 where there is none, or it is this side's own.</param>
/// <param name="Features">Feature bits that may reach the guest.</param>
/// <param name="WritableByte">The one byte of configuration that a driver may write, as 0 or 1; -1 for none.</param>
/// <param name="WritableWith">The feature that it must have accepted for that.</param>
internal readonly record struct DeviceProfile(uint ConfigBytes, ulong Features, int WritableByte = -1, ulong WritableWith = 0)
{
    // Transport features that are named here work through ioeventfd, irqfd and a split ring that the VMM has checked; a packed ring,
    // notification data or a ring reset would need more than that.
    private const ulong Transport =
        VirtioFeatureBits.RingIndirectDescriptors | VirtioFeatureBits.RingEventIndex | VirtioFeatureBits.Version1;

    // Bits 0 to 23 belong to the kind of device (virtio 1.2, 2.2).
    private const ulong DeviceBits = (1UL << 24) - 1;


    // virtio 1.2, 5.1.3: ANNOUNCE is asked for by a change of configuration, which nobody passes on here.
    private const ulong NetAnnounce = 1UL << 21;

    // 5.11.3: VIRTIO_FS_F_NOTIFICATION would want a queue more.
    private const ulong FileSystemNotification = 1;

    /// <summary>The profile of a device with that many queues.</summary>
    public static DeviceProfile Of(DeviceKind kind, int queueCount) => kind switch
    {
        // struct virtio_blk_config up to and with write_zeroes (5.2.4): every backend knows that much.
        DeviceKind.Block => new(
            BlockConfigSpace.SizeBytes,
            // MQ counts queues that the machine may not have.
            Transport | (DeviceBits & ~(queueCount > 1 ? 0 : BlockFeatureBits.MultiQueue)),
            BlockConfigSpace.WritebackOffset,
            BlockFeatureBits.ConfigWriteback),
        DeviceKind.Network => new(NetConfigSpace.SizeBytes, Transport | (DeviceBits & ~NetAnnounce & ~NetQueuesBeyond(queueCount))),
        DeviceKind.FileSystem => new(0, Transport | (DeviceBits & ~FileSystemNotification)), // FileSystemConfig
        // Any other feature would shift the queues, or lengthen the configuration (5.5.2, 5.5.4). What a driver writes there, "actual", nobody asks for.
        DeviceKind.Balloon => new(BalloonConfigSpace.SizeBytes, Transport | BalloonFeatureBits.DeflateOnOom | BalloonFeatureBits.Reporting),
        DeviceKind.Vsock => new(8, Transport | DeviceBits), // guest_cid (5.10.4)
        _ => new(0, Transport | DeviceBits),
    };

    // 5.1.2: receive and transmit, then more pairs, the control queue last.
    private static ulong NetQueuesBeyond(int queueCount) =>
        (queueCount < 3 ? NetFeatureBits.ControlQueue : 0) | (queueCount < 5 ? NetFeatureBits.MultiQueue : 0);
}
