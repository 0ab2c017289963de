using System.Buffers.Binary;
using System.Numerics;
using Sandbox.Fuzz.Engine;
using Sandbox.Virtio.Net;

namespace Sandbox.Fuzz.Devices;

/// <summary>
/// What the other end wrote for the guest, and what must come of it: a frame comes once or is dropped, byte for byte, in the order of each pair, under
/// a header that says no more than the driver has taken (virtio 1.2 §5.1.6.4).
/// </summary>
internal sealed class FramesToGuest(int pairs)
{
    private const ulong GuestChecksum = 1UL << 1;
    private const ulong GuestTso4 = 1UL << 7;
    private const ulong GuestTso6 = 1UL << 8;
    private const ulong GuestEcn = 1UL << 9;
    private const byte GsoEcn = 0x80;

    private readonly List<(NetHeader Header, byte[] Frame, bool Arrived)> _written = [];
    private readonly int[] _next = new int[pairs];
    private readonly byte[] _scratch = new byte[4096];

    /// <summary>Stands in the next frame, so that no two are alike.</summary>
    public int NextSerial => _written.Count;

    /// <summary>Bytes were written that are no frames: nothing can be said of what comes.</summary>
    public bool Lied { get; set; }

    /// <summary>Features were agreed anew: a frame whose checksum was completed for the driver before, and which had to wait, comes completed to the next.</summary>
    public bool IsAnotherDriver { get; set; }

    public void Written(in NetHeader header, ReadOnlySpan<byte> frame) => _written.Add((header, frame.ToArray(), false));

    /// <summary>Frames that fit no buffers are dropped: what arrives must be the next that was written, or one after it that came nowhere else.</summary>
    public void Arrived(int pair, in NetHeader header, ReadOnlySpan<byte> frame, ulong features)
    {
        Reached.Note(70, BitOperations.Log2((uint)frame.Length + 1));
        Reached.Note(74, ((int)header.Segmentation << 2) | ((int)header.Flags & 3));
        while (!Lied && _next[pair] < _written.Count)
        {
            int index = _next[pair]++;
            (NetHeader written, byte[] bytes, bool arrived) = _written[index];
            if (!arrived && (IsRight(written, bytes, header, frame, features) || (IsAnotherDriver && IsCompleted(written, bytes, header, frame))))
            {
                _written[index] = (written, bytes, true);
                return;
            }
        }

        if (!Lied)
        {
            throw new FindingException($"net: a frame of {frame.Length} bytes that nobody wrote came after {header}");
        }
    }

    private bool IsRight(in NetHeader written, byte[] bytes, in NetHeader header, ReadOnlySpan<byte> frame, ulong features)
    {
        Span<byte> right = _scratch.AsSpan(0, bytes.Length);
        bytes.CopyTo(right);
        return TryAdapt(written, right, features, out NetHeader rightHeader) && rightHeader == header with { BufferCount = 0 } && frame.SequenceEqual(right);
    }

    private bool IsCompleted(in NetHeader written, byte[] bytes, in NetHeader header, ReadOnlySpan<byte> frame)
    {
        Span<byte> right = _scratch.AsSpan(0, bytes.Length);
        bytes.CopyTo(right);
        return TryAdapt(written, right, 0, out _) && header.Flags == NetHeaderFlags.None && frame.SequenceEqual(right);
    }

    // False: this driver cannot be given it.
    private static bool TryAdapt(in NetHeader written, Span<byte> frame, ulong features, out NetHeader right)
    {
        right = written with { BufferCount = 0 };
        byte kind = (byte)written.Segmentation;
        if ((kind & ~GsoEcn) != 0)
        {
            ulong needed = GuestChecksum | ((kind & ~GsoEcn) switch { 1 => GuestTso4, 4 => GuestTso6, _ => ulong.MaxValue });
            needed |= (kind & GsoEcn) != 0 ? GuestEcn : 0;
            return (features & needed) == needed;
        }

        right = right with { Segmentation = NetSegmentation.None };
        if ((features & GuestChecksum) != 0)
        {
            return true;
        }

        right = default;
        return ((byte)written.Flags & 1) == 0 || TryComplete(frame, written.ChecksumStart, written.ChecksumOffset);
    }

    // RFC 1071 in its plainest form.
    private static bool TryComplete(Span<byte> frame, int start, int offset)
    {
        if (start + offset + 2 > frame.Length)
        {
            return false;
        }

        uint sum = 0;
        for (int at = start; at < frame.Length; at++)
        {
            sum += (at - start) % 2 == 0 ? (uint)frame[at] << 8 : frame[at];
        }

        sum = (sum & 0xFFFF) + (sum >> 16);
        sum = (sum & 0xFFFF) + (sum >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(frame[(start + offset)..], sum == 0xFFFF ? (ushort)0xFFFF : (ushort)(0xFFFF - sum));
        return true;
    }
}
