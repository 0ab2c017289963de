using System.Buffers.Binary;
using System.Text;
using Sandbox.Control.Launch;

namespace Sandbox.Vmm.VirtioMmio;

/// <summary>struct virtio_fs_config (virtio 1.2, 5.11.4). A backend does not know the name by which its file system is mounted: the frontend makes it.</summary>
internal static class FileSystemConfig
{
    // 5.11.2: the first queue is for urgent requests, the others count as request queues.
    private const int UrgentQueues = 1;

    /// <param name="tag">Printable ASCII of at most <see cref="LaunchLimits.MaxTagBytes"/>.</param>
    /// <param name="queueCount">All queues.</param>
    public static byte[] Of(string tag, int queueCount)
    {
        byte[] config = new byte[LaunchLimits.MaxTagBytes + sizeof(uint)];
        _ = Encoding.ASCII.GetBytes(tag, config.AsSpan(0, LaunchLimits.MaxTagBytes)); // zeroes behind it, none when it fills the field
        BinaryPrimitives.WriteUInt32LittleEndian(config.AsSpan(LaunchLimits.MaxTagBytes), (uint)(queueCount - UrgentQueues));
        return config;
    }
}
