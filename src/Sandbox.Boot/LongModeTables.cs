using System.Buffers.Binary;
using Sandbox.Memory;

namespace Sandbox.Boot;

/// <summary>
/// The descriptor and page tables under which a kernel's 64-bit entry runs ("64-bit Boot Protocol": __BOOT_CS 0x10 executable and readable,
/// __BOOT_DS 0x18 readable and writable, the loaded range, zero page and command line mapped one to one).
/// </summary>
public static class LongModeTables
{
    public const ushort CodeSelector = 0x10;
    public const ushort DataSelector = 0x18;
    public const ushort TssSelector = 0x20;

    /// <summary>Flat 64-bit code: present, ring 0, long, readable.</summary>
    public const ulong CodeDescriptor = 0x00AF_9B00_0000_FFFF;

    /// <summary>Flat data: present, ring 0, writable.</summary>
    public const ulong DataDescriptor = 0x00CF_9300_0000_FFFF;

    /// <summary>A busy 64-bit TSS at 0, limit 0x67: VMX wants one.</summary>
    public const ulong TssDescriptor = 0x0000_8B00_0000_0067;

    /// <summary>Bytes of the descriptor table at <see cref="GuestLayout.BootGdt"/>: null, unused, code, data, TSS and its upper half.</summary>
    public const int GdtBytes = 6 * sizeof(ulong);

    private const ulong PageBytes = 4096;
    private const int EntriesPerTable = 512;
    private const int MappedGigabytes = 4;
    private const ulong PresentWritable = 0x03;
    private const ulong LargePage = 0x80;

    internal static void Write(GuestMemory memory)
    {
        Span<byte> gdt = stackalloc byte[GdtBytes];
        gdt.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(gdt[CodeSelector..], CodeDescriptor);
        BinaryPrimitives.WriteUInt64LittleEndian(gdt[DataSelector..], DataDescriptor);
        BinaryPrimitives.WriteUInt64LittleEndian(gdt[TssSelector..], TssDescriptor);
        GuestTables.Write(memory, GuestLayout.BootGdt, gdt);
        WritePageTables(memory);
    }

    private static void WritePageTables(GuestMemory memory)
    {
        Span<byte> table = stackalloc byte[(int)PageBytes];
        table.Clear();
        ulong root = GuestLayout.PageTables.Value;
        ulong level3 = root + PageBytes;
        ulong level2 = level3 + PageBytes;
        BinaryPrimitives.WriteUInt64LittleEndian(table, level3 | PresentWritable);
        GuestTables.Write(memory, GuestLayout.PageTables, table);

        for (int gigabyte = 0; gigabyte < MappedGigabytes; gigabyte++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(table[(gigabyte * sizeof(ulong))..], (level2 + ((ulong)gigabyte * PageBytes)) | PresentWritable);
        }

        GuestTables.Write(memory, new GuestAddress(level3), table);
        for (int gigabyte = 0; gigabyte < MappedGigabytes; gigabyte++)
        {
            for (int entry = 0; entry < EntriesPerTable; entry++)
            {
                ulong page = ((ulong)((gigabyte * EntriesPerTable) + entry)) << 21;
                BinaryPrimitives.WriteUInt64LittleEndian(table[(entry * sizeof(ulong))..], page | PresentWritable | LargePage);
            }

            GuestTables.Write(memory, new GuestAddress(level2 + ((ulong)gigabyte * PageBytes)), table);
        }
    }
}
