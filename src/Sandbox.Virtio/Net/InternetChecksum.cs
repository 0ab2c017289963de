using System.Buffers.Binary;

namespace Sandbox.Virtio.Net;

/// <summary>The checksum of RFC 1071, for a driver that does not take packets without one.</summary>
public static class InternetChecksum
{
    /// <summary>Completes the sum as NEEDS_CSUM describes it: over everything from the start on, with the pseudo header's sum in its place. False where the place is outside the frame.</summary>
    public static bool TryComplete(Span<byte> frame, int start, int offset)
    {
        if (start + offset + sizeof(ushort) > frame.Length)
        {
            return false;
        }

        ulong sum = 0;
        ReadOnlySpan<byte> rest = frame[start..];
        for (; rest.Length >= sizeof(ushort); rest = rest[sizeof(ushort)..])
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(rest);
        }

        if (!rest.IsEmpty)
        {
            sum += (ulong)rest[0] << 8;
        }

        while (sum > ushort.MaxValue)
        {
            sum = (sum & ushort.MaxValue) + (sum >> 16);
        }

        ushort value = (ushort)(~sum & ushort.MaxValue);
        // UDP over IPv4: zero would mean "no checksum".
        BinaryPrimitives.WriteUInt16BigEndian(frame[(start + offset)..], value == 0 ? ushort.MaxValue : value);
        return true;
    }
}
