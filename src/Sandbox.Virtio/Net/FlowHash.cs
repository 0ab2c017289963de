using System.Buffers.Binary;

namespace Sandbox.Virtio.Net;

/// <summary>
/// A number for the flow that a frame belongs to, the same in both directions. It only spreads flows over queues: whoever chooses addresses so
/// that they meet has one queue, as everybody had before.
/// </summary>
public static class FlowHash
{
    private const int IPv6Bytes = 40;
    private const int MinIPv4Bytes = 20;
    private const byte Tcp = 6;
    private const byte Udp = 17;
    private const ushort FragmentBits = 0x3FFF; // more fragments, or an offset: ports are in the first only

    /// <summary>The flow of an untagged frame of IPv4 or IPv6; 0 for any other.</summary>
    public static uint Of(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < FrameRules.EthernetBytes)
        {
            return 0;
        }

        ReadOnlySpan<byte> packet = frame[FrameRules.EthernetBytes..];
        return BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) switch
        {
            EtherTypes.IPv4 when packet.Length >= MinIPv4Bytes => OfIPv4(packet),
            EtherTypes.IPv6 when packet.Length >= IPv6Bytes => OfIPv6(packet),
            _ => 0,
        };
    }

    private static uint OfIPv4(ReadOnlySpan<byte> packet)
    {
        bool whole = (BinaryPrimitives.ReadUInt16BigEndian(packet[6..]) & FragmentBits) == 0;
        int headerBytes = (packet[0] & 15) * 4;
        return Mix(Sum(packet[12..MinIPv4Bytes]), whole && headerBytes >= MinIPv4Bytes ? Ports(packet, headerBytes, packet[9]) : 0, packet[9]);
    }

    // Behind extension headers nobody looks: their flows are told apart by their addresses.
    private static uint OfIPv6(ReadOnlySpan<byte> packet) => Mix(Sum(packet[8..IPv6Bytes]), Ports(packet, IPv6Bytes, packet[6]), packet[6]);

    // A sum, for source and destination are the other way round in an answer.
    private static uint Sum(ReadOnlySpan<byte> addresses)
    {
        uint sum = 0;
        for (int offset = 0; offset < addresses.Length; offset += sizeof(uint))
        {
            sum = unchecked(sum + BinaryPrimitives.ReadUInt32BigEndian(addresses[offset..]));
        }

        return sum;
    }

    private static uint Ports(ReadOnlySpan<byte> packet, int offset, byte protocol) =>
        protocol is Tcp or Udp && packet.Length >= offset + (2 * sizeof(ushort))
            ? (uint)(BinaryPrimitives.ReadUInt16BigEndian(packet[offset..]) + BinaryPrimitives.ReadUInt16BigEndian(packet[(offset + 2)..]))
            : 0;

    // Odd factors and shifts, so that every bit of what goes in reaches the bits that are used.
    private static uint Mix(uint addresses, uint ports, byte protocol)
    {
        unchecked
        {
            uint hash = (addresses * 0x9E37_79B1) ^ (((ports << 8) | protocol) * 0x85EB_CA77);
            hash = (hash ^ (hash >> 15)) * 0x2C1B_3C6D;
            return hash ^ (hash >> 16);
        }
    }
}
