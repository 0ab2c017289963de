using System.Buffers.Binary;

namespace Sandbox.Virtio.Net;

/// <summary>Which frames of a guest go on, judged on a copy.</summary>
public static class FrameRules
{
    public const int EthernetBytes = 14;

    private const int IPv4DestinationOffset = 30;
    private const int IPv6DestinationOffset = 38;
    private const int MappedPrefixBytes = 10; // ::, ::1, ::a.b.c.d and ::ffff:a.b.c.d all begin with ten zero bytes

    /// <summary>Whether the frame comes from the address that the device has. A guest must not speak for another (§5.1.4 gives it one).</summary>
    public static bool IsFrom(ReadOnlySpan<byte> frame, MacAddress own) =>
        frame.Length >= EthernetBytes && MacAddress.Read(frame[MacAddress.SizeBytes..]) == own;

    /// <summary>
    /// Whether a host program that connects for the guest may be given this frame. Not to "this host" (0.0.0.0/8, 127.0.0.0/8, ::, ::1 and IPv4
    /// addresses in IPv6 clothes): a connect(2) to those reaches the host's own services. Not to link-local addresses (169.254.0.0/16):
    /// clouds give out the credentials of the host there.
    /// </summary>
    public static bool MayLeave(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < EthernetBytes)
        {
            return false;
        }

        switch (BinaryPrimitives.ReadUInt16BigEndian(frame[12..]))
        {
            case EtherTypes.IPv4:
                return frame.Length >= IPv4DestinationOffset + 4
                    && frame[IPv4DestinationOffset] is not 0 and not 127
                    && (frame[IPv4DestinationOffset] != 169 || frame[IPv4DestinationOffset + 1] != 254);
            case EtherTypes.IPv6:
                return frame.Length >= IPv6DestinationOffset + 16
                    && frame.Slice(IPv6DestinationOffset, MappedPrefixBytes).ContainsAnyExcept((byte)0);
            default:
                return true;
        }
    }
}
