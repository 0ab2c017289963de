using System.Buffers.Binary;
using Sandbox.Virtio.Net;

namespace Sandbox.Fuzz.Devices;

/// <summary>
/// What may be said in a header before a frame, read from virtio 1.2 §5.1.6 and tuntap.rst a second time: a host kernel is told nothing that
/// contradicts the frame.
/// </summary>
internal static class TapJudge
{
    private const int EthernetBytes = 14;
    private const int TcpBytes = 20; // its fixed part
    private const byte Tcp = 6;
    private const byte GsoTcp4 = 1;
    private const byte GsoTcp6 = 4;
    private const byte GsoEcn = 0x80;
    private const ulong Checksum = 1UL << 0;
    private const ulong HostTso4 = 1UL << 11;
    private const ulong HostTso6 = 1UL << 12;
    private const ulong HostEcn = 1UL << 13;

    /// <summary>Whether a driver may ask for this. For a segment: how long its headers are, which the driver may say as it likes.</summary>
    public static bool MayAsk(in NetHeader header, ReadOnlySpan<byte> frame, ulong features, out int headerBytes)
    {
        headerBytes = 0;
        bool checksum = ((byte)header.Flags & 1) != 0;
        if (checksum && ((features & Checksum) == 0 || header.ChecksumStart < EthernetBytes || header.ChecksumStart + header.ChecksumOffset + 2 > frame.Length))
        {
            return false;
        }

        byte kind = (byte)header.Segmentation;
        if (kind == 0)
        {
            return true;
        }

        ulong needed = (kind & ~GsoEcn) switch
        {
            GsoTcp4 => Checksum | HostTso4,
            GsoTcp6 => Checksum | HostTso6,
            _ => ulong.MaxValue, // UDP and all that nobody has defined
        };
        needed |= (kind & GsoEcn) != 0 ? HostEcn : 0;
        int start = TcpStart(frame, (kind & ~GsoEcn) == GsoTcp6);
        headerBytes = start == 0 ? 0 : start + (4 * (frame[start + 12] >> 4));
        return checksum && (features & needed) == needed && start != 0 && header.ChecksumStart == start && header.ChecksumOffset == 16
            && headerBytes >= start + TcpBytes && headerBytes < frame.Length && header.SegmentBytes != 0;
    }

    /// <summary>A header that the device gave to the host: what may be asked, without a bit that means nothing there.</summary>
    public static void Sent(in NetHeader header, ReadOnlySpan<byte> frame, ulong features)
    {
        bool checksum = header.Flags == NetHeaderFlags.NeedsChecksum;
        Engine.Reached.Note(73, ((int)header.Segmentation << 1) | (checksum ? 1 : 0));
        if (!MayAsk(header, frame, features, out int headerBytes) || !(checksum || header.Flags == NetHeaderFlags.None) || header.BufferCount != 0
            || header.HeaderBytes != headerBytes || (header.Segmentation == NetSegmentation.None && header.SegmentBytes != 0))
        {
            throw new FindingException($"tap: {header} left before a frame of {frame.Length} bytes");
        }
    }

    // Where TCP begins in a frame of that version of IP; 0 where it does not. All of its fixed part is there.
    private static int TcpStart(ReadOnlySpan<byte> frame, bool six)
    {
        if (frame.Length < EthernetBytes + TcpBytes + 20 || BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) != (six ? 0x86DD : 0x0800) || frame[14] >> 4 != (six ? 6 : 4))
        {
            return 0;
        }

        int packetBytes = six ? 40 : 4 * (frame[14] & 15);
        int start = EthernetBytes + packetBytes;
        return packetBytes >= 20 && frame[six ? 20 : 23] == Tcp && frame.Length >= start + TcpBytes ? start : 0;
    }
}
