using System.Buffers.Binary;
using Sandbox.Memory;

namespace Sandbox.Boot.Acpi;

/// <summary>
/// The ACPI tables (ACPI 6.4) of a machine, from RSDP to DSDT: by them an unmodified kernel finds processors, IOAPIC, virtio devices and how to
/// switch off.
/// </summary>
public static class AcpiTables
{
    private const int RsdpBytes = 36;
    private const int TableCount = 2; // FADT and MADT; the DSDT hangs on the FADT
    private const int XsdtBytes = AcpiTable.HeaderBytes + (TableCount * sizeof(ulong));

    // 254 processors make 2 KiB of MADT, 17 devices 1.2 KiB of DSDT.
    private const int BufferBytes = 8192;

    /// <summary>Writes all tables to <see cref="GuestLayout.AcpiTables"/>. Returns the address of the RSDP.</summary>
    public static GuestAddress Write(GuestMemory memory, in BootMachine machine)
    {
        byte[] tables = Build(machine);
        GuestTables.Write(memory, GuestLayout.AcpiTables, tables);
        return GuestLayout.AcpiTables;
    }

    /// <summary>The bytes as they lie in guest memory from <see cref="GuestLayout.AcpiTables"/> on.</summary>
    public static byte[] Build(in BootMachine machine)
    {
        byte[] buffer = new byte[BufferBytes];
        Span<byte> bytes = buffer;
        ulong origin = GuestLayout.AcpiTables.Value;
        int xsdt = Align(RsdpBytes);
        int madt = Align(xsdt + XsdtBytes);
        int fadt = Align(madt + Madt.SizeBytes(machine.CpuCount));
        int dsdt = Align(fadt + Fadt.SizeBytes);

        int dsdtBytes = Dsdt.Write(bytes[dsdt..], machine);
        Fadt.Write(bytes[fadt..], origin + (ulong)dsdt);
        Madt.Write(bytes[madt..], machine.CpuCount);
        WriteXsdt(bytes.Slice(xsdt, XsdtBytes), origin + (ulong)fadt, origin + (ulong)madt);
        WriteRsdp(bytes[..RsdpBytes], origin + (ulong)xsdt);
        return buffer.AsSpan(0, dsdt + dsdtBytes).ToArray(); // a range of an array would bring the runtime's type loader into the exe
    }

    private static void WriteXsdt(Span<byte> table, ulong fadt, ulong madt)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(table[AcpiTable.HeaderBytes..], fadt);
        BinaryPrimitives.WriteUInt64LittleEndian(table[(AcpiTable.HeaderBytes + sizeof(ulong))..], madt);
        AcpiTable.Seal(table, "XSDT"u8, 1);
    }

    // 5.2.5.3. The first checksum covers the 20 bytes of ACPI 1.0, the second all 36.
    private static void WriteRsdp(Span<byte> bytes, ulong xsdt)
    {
        const int FirstPartBytes = 20;
        const int FirstChecksum = 8;
        const int SecondChecksum = 32;
        "RSD PTR "u8.CopyTo(bytes);
        "SANDBX"u8.CopyTo(bytes[9..]);
        bytes[15] = 2;
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[20..], RsdpBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[24..], xsdt);
        bytes[FirstChecksum] = AcpiTable.Checksum(bytes[..FirstPartBytes]);
        bytes[SecondChecksum] = AcpiTable.Checksum(bytes);
    }

    private static int Align(int offset) => (offset + 15) & ~15;
}
