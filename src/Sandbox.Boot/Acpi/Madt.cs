using System.Buffers.Binary;

namespace Sandbox.Boot.Acpi;

/// <summary>
/// The MADT (ACPI 6.4, 5.2.12): the processors and the IOAPIC. No interrupt source override: every pin is wired to the GSI of its number. No
/// PC-AT compatibility flag: the two 8259 that KVM emulates beside the IOAPIC are of no use to this machine.
/// </summary>
internal static class Madt
{
    private const byte Revision = 5;
    private const int FixedBytes = AcpiTable.HeaderBytes + 8;
    private const int LocalApicBytes = 8;
    private const int IoApicBytes = 12;
    private const byte LocalApicKind = 0;
    private const byte IoApicKind = 1;
    private const uint Enabled = 1;

    public static int SizeBytes(int cpuCount) => FixedBytes + (cpuCount * LocalApicBytes) + IoApicBytes;

    public static void Write(Span<byte> table, int cpuCount)
    {
        table = table[..SizeBytes(cpuCount)];
        table.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(table[AcpiTable.HeaderBytes..], (uint)GuestLayout.LocalApic);
        Span<byte> entry = table[FixedBytes..];
        for (int cpu = 0; cpu < cpuCount; cpu++)
        {
            entry[0] = LocalApicKind;
            entry[1] = LocalApicBytes;
            entry[2] = (byte)cpu; // processor UID
            entry[3] = (byte)cpu; // APIC id
            BinaryPrimitives.WriteUInt32LittleEndian(entry[4..], Enabled);
            entry = entry[LocalApicBytes..];
        }

        entry[0] = IoApicKind;
        entry[1] = IoApicBytes;
        BinaryPrimitives.WriteUInt32LittleEndian(entry[4..], (uint)GuestLayout.IoApic);
        AcpiTable.Seal(table, "APIC"u8, Revision);
    }
}
