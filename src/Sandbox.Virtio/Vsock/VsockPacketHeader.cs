using System.Buffers.Binary;
using Sandbox.Memory;

namespace Sandbox.Virtio.Vsock;

/// <summary>
/// struct virtio_vsock_hdr (virtio 1.2 §5.10.6). LengthBytes counts the data behind the header; BufferBytes (buf_alloc) is what the
/// sender can buffer for this connection, ForwardedBytes (fwd_cnt) how many bytes, modulo 2^32, have left that buffer.
/// </summary>
public readonly record struct VsockPacketHeader(
    ulong SourceCid,
    ulong DestinationCid,
    uint SourcePort,
    uint DestinationPort,
    uint LengthBytes,
    ushort Type,
    VsockOperation Operation,
    VsockShutdown Flags,
    uint BufferBytes,
    uint ForwardedBytes)
{
    public const int SizeBytes = 44;

    /// <summary>VIRTIO_VSOCK_TYPE_STREAM: the only type without a feature bit.</summary>
    public const ushort StreamType = 1;

    /// <summary>The host's well-known context id (vsock(7), VMADDR_CID_HOST).</summary>
    public const ulong HostCid = 2;

    /// <summary>Copies the header once off the front of a packet. False when the packet is shorter than a header.</summary>
    public static bool TryTake(GuestVector packet, out VsockPacketHeader header)
    {
        ArgumentNullException.ThrowIfNull(packet);
        Span<byte> copy = stackalloc byte[SizeBytes];
        if (!packet.TryTake(copy))
        {
            header = default;
            return false;
        }

        header = Decode(copy);
        return true;
    }

    public static VsockPacketHeader Decode(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(bytes),
        BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]),
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[16..]),
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[20..]),
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[24..]),
        BinaryPrimitives.ReadUInt16LittleEndian(bytes[28..]),
        (VsockOperation)BinaryPrimitives.ReadUInt16LittleEndian(bytes[30..]),
        (VsockShutdown)BinaryPrimitives.ReadUInt32LittleEndian(bytes[32..]),
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[36..]),
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[40..]));

    public void Encode(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, SourceCid);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], DestinationCid);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[16..], SourcePort);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[20..], DestinationPort);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[24..], LengthBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[28..], Type);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[30..], (ushort)Operation);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[32..], (uint)Flags);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[36..], BufferBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[40..], ForwardedBytes);
    }
}
