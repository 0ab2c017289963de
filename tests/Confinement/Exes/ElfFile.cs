using System.Buffers.Binary;

namespace Sandbox.Confinement.Tests.Exes;

/// <summary>One program header (elf(5), Elf64_Phdr).</summary>
internal sealed record Segment(uint Type, uint Flags, ulong Offset, ulong FileBytes)
{
    internal const uint Load = 1;
    internal const uint Dynamic = 2;
    internal const uint Interpreter = 3;
    internal const uint GnuStack = 0x6474e551;
    internal const uint GnuRelro = 0x6474e552;

    internal bool IsExecutable => (Flags & 1) != 0;

    internal bool IsWritable => (Flags & 2) != 0;
}

/// <summary>What the loader will read of an exe.</summary>
internal sealed class ElfFile
{
    internal const ushort Dyn = 3; // ET_DYN
    internal const ulong BindNow = 0x8; // DF_BIND_NOW
    internal const ulong PositionIndependent = 0x08000000; // DF_1_PIE

    private const ulong TagNeeded = 1;
    private const ulong TagTextRelocations = 22;
    private const ulong TagFlags = 30;
    private const ulong TagFlags1 = 0x6ffffffb;

    private readonly byte[] _bytes;
    private readonly List<(ulong Tag, ulong Value)> _dynamic = [];

    internal ElfFile(string path)
    {
        _bytes = File.ReadAllBytes(path);
        Assert.Equal([0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1], _bytes[..6]);
        int table = (int)Get64(32);
        int entryBytes = BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(54));
        int count = BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(56));
        for (int index = 0; index < count; index++)
        {
            int at = table + (index * entryBytes);
            Segments.Add(new Segment(Get32(at), Get32(at + 4), Get64(at + 8), Get64(at + 32)));
        }

        Segment dynamic = Segments.Single(segment => segment.Type == Segment.Dynamic);
        for (ulong at = dynamic.Offset; at < dynamic.Offset + dynamic.FileBytes; at += 16)
        {
            _dynamic.Add((Get64((int)at), Get64((int)at + 8)));
        }
    }

    internal List<Segment> Segments { get; } = [];

    internal ushort Type => BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(16));

    internal long Bytes => _bytes.Length;

    internal bool NeedsLibraries => _dynamic.Exists(entry => entry.Tag == TagNeeded);

    internal bool HasTextRelocations => _dynamic.Exists(entry => entry.Tag == TagTextRelocations);

    internal ulong Flags => _dynamic.Find(entry => entry.Tag == TagFlags).Value;

    internal ulong Flags1 => _dynamic.Find(entry => entry.Tag == TagFlags1).Value;

    internal bool Holds(ReadOnlySpan<byte> text) => _bytes.AsSpan().IndexOf(text) >= 0;

    private uint Get32(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(_bytes.AsSpan(offset));

    private ulong Get64(int offset) => BinaryPrimitives.ReadUInt64LittleEndian(_bytes.AsSpan(offset));
}
