using System.Buffers.Binary;

namespace Sandbox.Virtio.Net;

/// <summary>
/// Judges the offloads that a driver asks for, on a copy of header and frame, and says them anew: what a host kernel gets was
/// computed here from the frame. Hosts have been crashed by headers that contradict their frames.
/// </summary>
public static class OffloadRules
{
    private const int EthernetBytes = 14;
    private const int MinIPv4Bytes = 20;
    private const int IPv6Bytes = 40;
    private const int MinTcpBytes = 20;
    private const int TcpChecksumOffset = 16;
    private const byte TcpProtocol = 6;

    /// <summary>False: the frame is to be dropped. Bits that were not negotiated are as wrong as lengths that do not fit.</summary>
    /// <param name="asked">What the driver wrote.</param>
    /// <param name="frame">The frame behind it, from the Ethernet header on.</param>
    /// <param name="features">What was negotiated.</param>
    /// <param name="sound">What may be handed on.</param>
    public static bool TryMakeSound(in NetHeader asked, ReadOnlySpan<byte> frame, ulong features, out NetHeader sound)
    {
        sound = default;
        // "The driver MUST NOT set the VIRTIO_NET_HDR_F_DATA_VALID bit": it means nothing here and is not handed on.
        bool checksum = (asked.Flags & NetHeaderFlags.NeedsChecksum) != 0;
        if (checksum && ((features & NetFeatureBits.Checksum) == 0 || !IsChecksumInside(asked, frame.Length)))
        {
            return false;
        }

        if (asked.Segmentation == NetSegmentation.None)
        {
            sound = checksum ? asked with { Flags = NetHeaderFlags.NeedsChecksum, HeaderBytes = 0, SegmentBytes = 0, BufferCount = 0 } : default;
            return true;
        }

        return checksum && TryMakeSegmentSound(asked, frame, features, out sound);
    }

    private static bool IsChecksumInside(in NetHeader asked, int frameBytes) =>
        asked.ChecksumStart >= EthernetBytes && asked.ChecksumStart + asked.ChecksumOffset + sizeof(ushort) <= frameBytes;

    private static bool TryMakeSegmentSound(in NetHeader asked, ReadOnlySpan<byte> frame, ulong features, out NetHeader sound)
    {
        sound = default;
        bool overIPv6 = (asked.Segmentation & ~NetSegmentation.Ecn) == NetSegmentation.Tcp6;
        bool known = overIPv6 || (asked.Segmentation & ~NetSegmentation.Ecn) == NetSegmentation.Tcp4;
        bool ecn = (asked.Segmentation & NetSegmentation.Ecn) != 0;
        if (!known || !NetFeatureBits.AllowsHostTso(features, overIPv6) || (ecn && (features & NetFeatureBits.HostEcn) == 0)
            || asked.ChecksumOffset != TcpChecksumOffset || !TryFindTcp(frame, overIPv6, out int start) || start != asked.ChecksumStart)
        {
            return false;
        }

        int headers = start + ((frame[start + 12] >> 4) * 4);
        if (headers < start + MinTcpBytes || headers >= frame.Length || asked.SegmentBytes == 0)
        {
            return false;
        }

        sound = asked with { Flags = NetHeaderFlags.NeedsChecksum, HeaderBytes = (ushort)headers, BufferCount = 0 };
        return true;
    }

    // Where the TCP header of an untagged frame begins; all of its fixed part is there then.
    private static bool TryFindTcp(ReadOnlySpan<byte> frame, bool overIPv6, out int start)
    {
        start = 0;
        if (frame.Length < EthernetBytes + (overIPv6 ? IPv6Bytes : MinIPv4Bytes)
            || BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) != (overIPv6 ? EtherTypes.IPv6 : EtherTypes.IPv4))
        {
            return false;
        }

        ReadOnlySpan<byte> packet = frame[EthernetBytes..];
        // An IPv6 segment with extension headers is cut by nobody that we need: TCP comes first.
        int length = overIPv6 ? IPv6Bytes : (packet[0] & 15) * 4;
        byte protocol = overIPv6 ? packet[6] : packet[9];
        start = EthernetBytes + length;
        return (packet[0] >> 4) == (overIPv6 ? 6 : 4) && length >= MinIPv4Bytes && protocol == TcpProtocol && frame.Length >= start + MinTcpBytes;
    }
}
