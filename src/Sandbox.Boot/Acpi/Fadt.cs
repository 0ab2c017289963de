using System.Buffers.Binary;

namespace Sandbox.Boot.Acpi;

/// <summary>The FADT of a hardware-reduced machine (ACPI 6.4, 5.2.9): no timer block, no general events, no SCI; only reset and sleep.</summary>
internal static class Fadt
{
    public const int SizeBytes = 276;
    private const byte Revision = 6;
    private const byte MinorRevision = 4;

    // Boot architecture flags (5.2.9.3): no VGA, no CMOS clock; an i8042 answers, though only for the reset line.
    private const ushort LegacyDevices = 1 << 0;
    private const ushort I8042 = 1 << 1;
    private const ushort NoVga = 1 << 2;
    private const ushort NoCmosClock = 1 << 5;

    // Fixed feature flags (5.2.9, table 5.10).
    private const uint WriteBackInvalidate = 1 << 0;
    private const uint NoFixedPowerButton = 1 << 4;
    private const uint NoFixedSleepButton = 1 << 5;
    private const uint HasResetRegister = 1 << 10;
    private const uint Headless = 1 << 12;
    private const uint HardwareReduced = 1 << 20;

    public static void Write(Span<byte> table, ulong dsdt)
    {
        const byte EnterpriseServer = 4;
        table = table[..SizeBytes];
        table.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(table[40..], (uint)dsdt);
        table[45] = EnterpriseServer;
        BinaryPrimitives.WriteUInt16LittleEndian(table[109..], LegacyDevices | I8042 | NoVga | NoCmosClock);
        BinaryPrimitives.WriteUInt32LittleEndian(
            table[112..],
            WriteBackInvalidate | NoFixedPowerButton | NoFixedSleepButton | HasResetRegister | Headless | HardwareReduced);
        WritePortAddress(table[116..], AcpiPower.ResetPort);
        table[128] = AcpiPower.ResetValue;
        table[131] = MinorRevision;
        BinaryPrimitives.WriteUInt64LittleEndian(table[140..], dsdt);
        WritePortAddress(table[244..], AcpiPower.SleepControlPort);
        WritePortAddress(table[256..], AcpiPower.SleepStatusPort);
        AcpiTable.Seal(table, "FACP"u8, Revision);
    }

    // Generic address structure (5.2.3.2) of one byte in I/O space.
    private static void WritePortAddress(Span<byte> bytes, ushort port)
    {
        const byte IoSpace = 1;
        const byte BitWidth = 8;
        const byte ByteAccess = 1;
        bytes[0] = IoSpace;
        bytes[1] = BitWidth;
        bytes[3] = ByteAccess;
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[4..], port);
    }
}
