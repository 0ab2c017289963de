using System.Buffers.Binary;

namespace Sandbox.Control.Proof;

/// <summary>A <see cref="ProbeOrder"/> over the bytes it arrived in. Neither allocates nor throws: the probe has no runtime. All numbers are little-endian.</summary>
public readonly ref struct ProbeOrderView
{
    public const int Bytes = 192;

    internal const uint Magic = 0x31505853; // "SXP1": changes with the layout
    internal const int ActOffset = 4;
    internal const int ProcessOffset = 6;
    internal const int FilteredOffset = 7;
    internal const int NumbersOffset = 8; // nine of 64 bits, in the order of the properties
    internal const int PathOffset = 80;

    /// <summary>unix(7): sun_path has 108 bytes, one of them the final zero (or, for an abstract name, the first).</summary>
    internal const int MaxPathBytes = 107;

    private readonly ReadOnlySpan<byte> _bytes;

    private ProbeOrderView(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public ForbiddenAct Act => (ForbiddenAct)BinaryPrimitives.ReadUInt16LittleEndian(_bytes[ActOffset..]);

    public ProbedProcess Process => (ProbedProcess)_bytes[ProcessOffset];

    public bool Filtered => _bytes[FilteredOffset] != 0;

    public int OtherPid => (int)Number(0);

    public int NeighbourPid => (int)Number(1);

    public int LauncherPid => (int)Number(2);

    public nint Address => (nint)Number(3);

    public int SharedMemoryId => (int)Number(4);

    public ushort Port => (ushort)Number(5);

    public int BackingFd => (int)Number(6);

    public long BackingBytes => Number(7);

    public int GuestMemoryFd => (int)Number(8);

    /// <summary>Without a final zero.</summary>
    public ReadOnlySpan<byte> SocketPath
    {
        get
        {
            ReadOnlySpan<byte> path = _bytes.Slice(PathOffset, MaxPathBytes);
            int length = 0;
            while (length < path.Length && path[length] != 0)
            {
                length++;
            }

            return path[..length];
        }
    }

    /// <summary>False when the bytes are no order of this version.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, out ProbeOrderView order)
    {
        order = new ProbeOrderView(bytes);
        return bytes.Length == Bytes && BinaryPrimitives.ReadUInt32LittleEndian(bytes) == Magic;
    }

    private long Number(int index) => BinaryPrimitives.ReadInt64LittleEndian(_bytes[(NumbersOffset + (index * sizeof(long)))..]);
}
