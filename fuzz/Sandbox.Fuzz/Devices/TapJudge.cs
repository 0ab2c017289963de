using Sandbox.Virtio.Net;

namespace Sandbox.Fuzz.Devices;

/// <summary>
/// What may be said in the headers that go over a tap interface, read from virtio 1.2 §5.1.6 and tuntap.rst a second time: a host kernel is told
/// nothing that contradicts the frame, and a driver nothing that it has not taken.
/// </summary>
internal static class TapJudge
{
    private const int EthernetBytes = 14;

    /// <summary>A packet that the device gave to the host.</summary>
    public static void Sent(ReadOnlySpan<byte> packet, ulong features, ReadOnlySpan<byte> ownMac)
    {
        if (packet.Length < NetHeader.SizeBytes + EthernetBytes)
        {
            throw new FindingException($"tap: a packet of {packet.Length} bytes left");
        }

        NetHeader header = NetHeader.Decode(packet);
        int frameBytes = packet.Length - NetHeader.SizeBytes;
        bool checksum = header.Flags == NetHeaderFlags.NeedsChecksum;
        bool sound = checksum
            ? (features & NetFeatureBits.Checksum) != 0 && header.ChecksumStart >= EthernetBytes && header.ChecksumStart + header.ChecksumOffset + 2 <= frameBytes
            : header.Flags == NetHeaderFlags.None;
        if (header.Segmentation != NetSegmentation.None)
        {
            bool six = (header.Segmentation & NetSegmentation.Tcp6) != 0;
            sound &= checksum && header.SegmentBytes != 0 && header.HeaderBytes > header.ChecksumStart && header.HeaderBytes < frameBytes && NetFeatureBits.AllowsHostTso(features, six);
        }

        Engine.Reached.Note(73, ((int)header.Segmentation << 1) | (checksum ? 1 : 0));
        if (!sound || header.BufferCount != 0 || !packet.Slice(NetHeader.SizeBytes + 6, 6).SequenceEqual(ownMac))
        {
            throw new FindingException($"tap: {header} left before a frame of {frameBytes} bytes");
        }
    }

    /// <summary>The header of a frame that the device gave to the driver.</summary>
    public static void Received(in NetHeader header, ulong features)
    {
        bool six = (header.Segmentation & NetSegmentation.Tcp6) != 0;
        Engine.Reached.Note(74, ((int)header.Segmentation << 2) | ((int)header.Flags & 3));
        if ((header.Flags != NetHeaderFlags.None && (features & NetFeatureBits.GuestChecksum) == 0)
            || (header.Segmentation != NetSegmentation.None && !NetFeatureBits.AllowsGuestTso(features, six)))
        {
            throw new FindingException($"tap: {header} came to a driver that has not taken it");
        }
    }
}
