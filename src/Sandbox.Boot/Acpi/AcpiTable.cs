using System.Buffers.Binary;

namespace Sandbox.Boot.Acpi;

/// <summary>The header that begins every table (ACPI 6.4, 5.2.6), and checksums.</summary>
internal static class AcpiTable
{
    public const int HeaderBytes = 36;
    private const int ChecksumOffset = 9;

    /// <summary>Fills the header of a complete table, its checksum last.</summary>
    public static void Seal(Span<byte> table, ReadOnlySpan<byte> signature, byte revision)
    {
        signature.CopyTo(table);
        BinaryPrimitives.WriteUInt32LittleEndian(table[4..], (uint)table.Length);
        table[8] = revision;
        table[ChecksumOffset] = 0;
        "SANDBX"u8.CopyTo(table[10..]);
        "MICROVM "u8.CopyTo(table[16..]);
        BinaryPrimitives.WriteUInt32LittleEndian(table[24..], 1);
        "SNDB"u8.CopyTo(table[28..]);
        BinaryPrimitives.WriteUInt32LittleEndian(table[32..], 1);
        table[ChecksumOffset] = Checksum(table);
    }

    /// <summary>The byte that makes the sum of all bytes zero; the place of the result must hold zero meanwhile.</summary>
    public static byte Checksum(ReadOnlySpan<byte> bytes)
    {
        int sum = 0;
        foreach (byte value in bytes)
        {
            sum += value;
        }

        return (byte)(-sum & 0xFF);
    }
}
