using System.Buffers.Binary;

namespace Sandbox.Virtio.Vsock;

/// <summary>struct virtio_vsock_config (virtio 1.2 §5.10.4): the guest's context id.</summary>
public static class VsockConfigSpace
{
    public const int SizeBytes = 8;

    public static void Write(Span<byte> space, ulong guestCid) => BinaryPrimitives.WriteUInt64LittleEndian(space, guestCid);
}
