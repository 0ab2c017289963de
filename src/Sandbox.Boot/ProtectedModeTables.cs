using System.Buffers.Binary;
using Sandbox.Memory;

namespace Sandbox.Boot;

/// <summary>The descriptor table under which a PVH kernel starts: the VMM loads the same descriptors into the segment registers.</summary>
public static class ProtectedModeTables
{
    public const ushort CodeSelector = 0x08;
    public const ushort DataSelector = 0x10;
    public const ushort TssSelector = 0x18;

    /// <summary>Flat 32-bit code: present, ring 0, readable.</summary>
    public const ulong CodeDescriptor = 0x00CF_9B00_0000_FFFF;

    /// <summary>Flat 32-bit data: present, ring 0, writable.</summary>
    public const ulong DataDescriptor = 0x00CF_9300_0000_FFFF;

    /// <summary>A busy 32-bit TSS at 0, limit 0x67.</summary>
    public const ulong TssDescriptor = 0x0000_8B00_0000_0067;

    /// <summary>Bytes of the descriptor table at <see cref="GuestLayout.BootGdt"/>.</summary>
    public const int GdtBytes = 4 * sizeof(ulong);

    internal static void Write(GuestMemory memory)
    {
        Span<byte> gdt = stackalloc byte[GdtBytes];
        gdt.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(gdt[CodeSelector..], CodeDescriptor);
        BinaryPrimitives.WriteUInt64LittleEndian(gdt[DataSelector..], DataDescriptor);
        BinaryPrimitives.WriteUInt64LittleEndian(gdt[TssSelector..], TssDescriptor);
        GuestTables.Write(memory, GuestLayout.BootGdt, gdt);
    }
}
