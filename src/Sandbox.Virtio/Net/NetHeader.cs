using System.Buffers.Binary;

namespace Sandbox.Virtio.Net;

/// <summary>struct virtio_net_hdr of a modern device (virtio 1.2 §5.1.6): 12 bytes in front of every packet. A copy; what it says is unchecked.</summary>
/// <param name="Flags">Checksum.</param>
/// <param name="Segmentation">gso_type: what sort of large segment this is.</param>
/// <param name="HeaderBytes">hdr_len: bytes of a segment before its payload.</param>
/// <param name="SegmentBytes">gso_size: payload of each packet that the segment becomes.</param>
/// <param name="ChecksumStart">Where the sum begins.</param>
/// <param name="ChecksumOffset">Where, from there, it is put.</param>
/// <param name="BufferCount">num_buffers, received packets only.</param>
public readonly record struct NetHeader(
    NetHeaderFlags Flags, NetSegmentation Segmentation, ushort HeaderBytes, ushort SegmentBytes, ushort ChecksumStart, ushort ChecksumOffset, ushort BufferCount)
{
    public const int SizeBytes = 12;

    public static NetHeader Decode(ReadOnlySpan<byte> bytes) => new(
        (NetHeaderFlags)bytes[0],
        (NetSegmentation)bytes[1],
        BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]),
        BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]),
        BinaryPrimitives.ReadUInt16LittleEndian(bytes[6..]),
        BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]),
        BinaryPrimitives.ReadUInt16LittleEndian(bytes[10..]));

    public void Encode(Span<byte> bytes)
    {
        bytes[0] = (byte)Flags;
        bytes[1] = (byte)Segmentation;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[2..], HeaderBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[4..], SegmentBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[6..], ChecksumStart);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[8..], ChecksumOffset);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[10..], BufferCount);
    }
}

/// <summary>VIRTIO_NET_HDR_F_*.</summary>
[Flags]
public enum NetHeaderFlags : byte
{
    None = 0,

    /// <summary>The checksum is to be completed.</summary>
    NeedsChecksum = 1,

    /// <summary>The checksum is known to be right.</summary>
    ChecksumValid = 2,
}

/// <summary>VIRTIO_NET_HDR_GSO_*: a kind, and a bit that goes with it.</summary>
[Flags]
public enum NetSegmentation : byte
{
    None = 0,
    Tcp4 = 1,
    Tcp6 = 4,

    /// <summary>The segment carries ECN.</summary>
    Ecn = 0x80,
}
