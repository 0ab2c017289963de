using System.Buffers.Binary;

namespace Sandbox.Fuzz.Devices;

/// <summary>
/// Which sectors the requests under way read and change: of two that meet, and one changes, the specification says nothing, so a driver whose results
/// are judged has no such pair.
/// </summary>
internal sealed class SectorsInWork
{
    private readonly int[] _readers = new int[BlockModel.Sectors];
    private readonly int[] _writers = new int[BlockModel.Sectors];

    public void Clear()
    {
        Array.Clear(_readers);
        Array.Clear(_writers);
    }

    /// <summary>Whether the request may be under way beside the others.</summary>
    public bool MayBegin(ReadOnlySpan<byte> readable, int writableBytes)
    {
        (Range sectors, bool changes) = Of(readable, writableBytes);
        return !_writers.AsSpan(sectors).ContainsAnyExcept(0) && (!changes || !_readers.AsSpan(sectors).ContainsAnyExcept(0));
    }

    /// <summary>One begins (1) or is answered (-1).</summary>
    public void Add(ReadOnlySpan<byte> readable, int writableBytes, int count)
    {
        (Range sectors, bool changes) = Of(readable, writableBytes);
        foreach (ref int users in (changes ? _writers : _readers).AsSpan(sectors))
        {
            users += count;
        }
    }

    // What clears ranges may touch any.
    private static (Range Sectors, bool Changes) Of(ReadOnlySpan<byte> readable, int writableBytes)
    {
        if (readable.Length < 16)
        {
            return (0..0, false);
        }

        uint type = BinaryPrimitives.ReadUInt32LittleEndian(readable);
        int first = (int)Math.Min(BinaryPrimitives.ReadUInt64LittleEndian(readable[8..]), BlockModel.Sectors);
        int count = ((type == 0 ? writableBytes : readable.Length - 16) + 511) / 512;
        Range sectors = first..Math.Min(first + count, BlockModel.Sectors);
        return type switch
        {
            0 => (sectors, false),
            1 => (sectors, true),
            11 or 13 => (.., true),
            _ => (0..0, false),
        };
    }
}
