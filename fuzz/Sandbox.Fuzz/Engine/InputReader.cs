using System.Buffers.Binary;

namespace Sandbox.Fuzz.Engine;

/// <summary>An input as a row of choices. After its end every choice is zero, so that a shorter input is a simpler one.</summary>
internal ref struct InputReader(ReadOnlySpan<byte> input)
{
    private static readonly ulong[] Edges =
    [
        0, 1, 2, 3, 7, 8, 15, 16, 17, 20, 44, 255, 256, 511, 512, 513, 1023, 1024, 4095, 4096, 4097, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF, 0x1_0000,
        0x7FFF_FFFF, 0x8000_0000, 0xFFFF_F000, 0xFFFF_FFF0, 0xFFFF_FFFE, 0xFFFF_FFFF, 0x1_0000_0000, 0x0020_0000_0000_0000, 0x0040_0000_0000_0000,
        0x007F_FFFF_FFFF_FFFF, 0x0080_0000_0000_0000, 0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, 0xFFFF_FFFF_FFFF_F000, 0xFFFF_FFFF_FFFF_FFF0, ulong.MaxValue,
    ];

    private ReadOnlySpan<byte> _rest = input;

    public readonly bool IsEmpty => _rest.IsEmpty;

    public readonly int Left => _rest.Length;

    public byte Byte()
    {
        if (_rest.IsEmpty)
        {
            return 0;
        }

        byte value = _rest[0];
        _rest = _rest[1..];
        return value;
    }

    public ushort U16() => (ushort)(Byte() | (Byte() << 8));

    public uint U32() => U16() | ((uint)U16() << 16);

    public ulong U64() => U32() | ((ulong)U32() << 32);

    /// <summary>0 to count - 1; count is at most 256.</summary>
    public int Below(int count) => Byte() % count;

    /// <summary>True for one value in <paramref name="outOf"/>; never after the end.</summary>
    public bool OneIn(int outOf) => Byte() % outOf == outOf - 1;

    public T Pick<T>(ReadOnlySpan<T> choices) => choices[Byte() % choices.Length];

    /// <summary>A number at which code goes wrong, or any other.</summary>
    public ulong Edge()
    {
        byte choice = Byte();
        return choice < 2 * Edges.Length ? Edges[choice / 2]
            : choice < 200 ? choice
            : choice < 240 ? U16()
            : U64();
    }

    public uint Edge32() => (uint)(Edge() & uint.MaxValue);

    public ReadOnlySpan<byte> Bytes(int count)
    {
        int taken = Math.Min(count, _rest.Length);
        ReadOnlySpan<byte> bytes = _rest[..taken];
        _rest = _rest[taken..];
        return bytes;
    }

    public ReadOnlySpan<byte> All() => Bytes(_rest.Length);

    /// <summary>A seed for what else is to happen: of this input only.</summary>
    public static ulong Seed(ReadOnlySpan<byte> input)
    {
        ulong hash = 14695981039346656037;
        while (input.Length >= sizeof(ulong))
        {
            hash = unchecked((hash ^ BinaryPrimitives.ReadUInt64LittleEndian(input)) * 1099511628211);
            input = input[sizeof(ulong)..];
        }

        foreach (byte value in input)
        {
            hash = unchecked((hash ^ value) * 1099511628211);
        }

        return hash;
    }
}
