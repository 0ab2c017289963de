using System.Buffers.Binary;

namespace Sandbox.Boot.Elf;

/// <summary>Finds the 32-bit PVH entry point in the notes of an ELF kernel (XEN_ELFNOTE_PHYS32_ENTRY; Xen public header elfnote.h).</summary>
internal static class PvhNote
{
    private const int NoteHeaderBytes = 12;
    private const uint Phys32Entry = 18;

    // Notes are read one by one, so a file can make this loop long but not make it allocate; no real kernel has a tenth of this.
    private const int MaxNotes = 1024;

    public static bool TryFind(IBootFile kernel, ReadOnlySpan<ProgramHeader> headers, out ulong entryPoint)
    {
        entryPoint = 0;
        foreach (ref readonly ProgramHeader segment in headers)
        {
            if (segment.Kind == ProgramHeader.Note && segment.IsInsideFile(kernel.LengthBytes)
                && TryFindIn(kernel, segment.FileOffset, segment.FileBytes, out entryPoint))
            {
                return true;
            }
        }

        return false;
    }

    private static bool TryFindIn(IBootFile kernel, ulong start, ulong lengthBytes, out ulong entryPoint)
    {
        entryPoint = 0;
        Span<byte> bytes = stackalloc byte[NoteHeaderBytes + 4 + sizeof(ulong)];
        ulong offset = 0;
        for (int note = 0; note < MaxNotes && lengthBytes - offset >= NoteHeaderBytes; note++)
        {
            if (!kernel.TryRead(start + offset, bytes[..NoteHeaderBytes]))
            {
                return false;
            }

            ulong nameBytes = Align4(BinaryPrimitives.ReadUInt32LittleEndian(bytes));
            uint valueBytes = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
            uint kind = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
            ulong noteBytes = NoteHeaderBytes + nameBytes + Align4(valueBytes);
            if (noteBytes > lengthBytes - offset)
            {
                return false;
            }

            if (kind == Phys32Entry && nameBytes == 4 && valueBytes is (sizeof(uint) or sizeof(ulong))
                && kernel.TryRead(start + offset, bytes[..(NoteHeaderBytes + 4 + (int)valueBytes)])
                && bytes[NoteHeaderBytes..].StartsWith("Xen\0"u8))
            {
                ReadOnlySpan<byte> value = bytes[(NoteHeaderBytes + 4)..];
                entryPoint = valueBytes == sizeof(uint)
                    ? BinaryPrimitives.ReadUInt32LittleEndian(value)
                    : BinaryPrimitives.ReadUInt64LittleEndian(value);
                return entryPoint <= uint.MaxValue;
            }

            offset += noteBytes;
        }

        return false;
    }

    private static ulong Align4(uint value) => ((ulong)value + 3) & ~3UL;
}
