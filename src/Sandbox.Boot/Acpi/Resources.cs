using System.Buffers.Binary;

namespace Sandbox.Boot.Acpi;

/// <summary>Resource descriptors of a _CRS (ACPI 6.4, 6.4.2 and 6.4.3). Each method returns the bytes written.</summary>
internal static class Resources
{
    public const int Memory32FixedBytes = 12;
    public const int InterruptBytes = 9;
    public const int IoBytes = 8;

    /// <summary>Memory32Fixed (ReadWrite, base, length).</summary>
    public static void Memory32Fixed(Span<byte> bytes, uint start, uint lengthBytes)
    {
        bytes[0] = 0x86;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[1..], Memory32FixedBytes - 3);
        bytes[3] = 1; // writable
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[4..], start);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], lengthBytes);
    }

    /// <summary>Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) { gsi }.</summary>
    public static void Interrupt(Span<byte> bytes, int gsi)
    {
        const byte ConsumerEdge = 0x03;
        bytes[0] = 0x89;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[1..], InterruptBytes - 3);
        bytes[3] = ConsumerEdge;
        bytes[4] = 1;
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[5..], (uint)gsi);
    }

    /// <summary>IO (Decode16, port, port, 1, length).</summary>
    public static void Io(Span<byte> bytes, ushort port, byte lengthBytes)
    {
        bytes[0] = 0x47;
        bytes[1] = 1; // decodes 16 bits
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[2..], port);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[4..], port);
        bytes[6] = 1;
        bytes[7] = lengthBytes;
    }
}
