using System.Buffers.Binary;

namespace Sandbox.Virtio.Net;

/// <summary>struct virtio_net_config (virtio 1.2 §5.1.4) up to and with mtu.</summary>
public static class NetConfigSpace
{
    public const int SizeBytes = 12;

    private const ushort LinkUp = 1; // VIRTIO_NET_S_LINK_UP

    /// <summary>Writes the whole space: the link is up as long as the device is there.</summary>
    public static void Write(Span<byte> space, MacAddress mac, ushort mtu, ushort maxPairs)
    {
        mac.Write(space);
        BinaryPrimitives.WriteUInt16LittleEndian(space[6..], LinkUp);
        BinaryPrimitives.WriteUInt16LittleEndian(space[8..], maxPairs); // max_virtqueue_pairs
        BinaryPrimitives.WriteUInt16LittleEndian(space[10..], mtu);
    }
}
