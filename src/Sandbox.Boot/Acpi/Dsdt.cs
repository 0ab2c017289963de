using System.Globalization;
using System.Text;

namespace Sandbox.Boot.Acpi;

/// <summary>
/// The DSDT: how to switch off, the serial port (in hardware-reduced mode Linux knows an interrupt below 16 only from here), and the virtio devices.
/// </summary>
internal static class Dsdt
{
    private const byte Revision = 2; // 64-bit integers

    /// <summary>Writes the table; its length in bytes.</summary>
    public static int Write(Span<byte> buffer, in BootMachine machine)
    {
        AmlWriter aml = new(buffer[AcpiTable.HeaderBytes..]);
        aml.NamePackage("_S5_"u8, [AcpiPower.PowerOffType, 0, 0, 0]);
        int scope = aml.BeginScope("_SB_"u8);
        WriteSerial(ref aml);
        for (int device = 0; device < machine.VirtioDeviceCount; device++)
        {
            WriteVirtio(ref aml, device);
        }

        aml.End(scope);
        int length = AcpiTable.HeaderBytes + aml.Length;
        AcpiTable.Seal(buffer[..length], "DSDT"u8, Revision);
        return length;
    }

    private static void WriteSerial(ref AmlWriter aml)
    {
        const byte Registers = 8;
        Span<byte> resources = stackalloc byte[Resources.IoBytes + Resources.InterruptBytes];
        Resources.Io(resources, GuestLayout.SerialPort, Registers);
        Resources.Interrupt(resources[Resources.IoBytes..], GuestLayout.SerialGsi);
        int start = aml.BeginDevice("COM1"u8);
        aml.NameEisaId("_HID"u8, "PNP0501"u8);
        aml.NameInteger("_UID"u8, 0);
        aml.NameResources(resources);
        aml.End(start);
    }

    private static void WriteVirtio(ref AmlWriter aml, int device)
    {
        Span<byte> resources = stackalloc byte[Resources.Memory32FixedBytes + Resources.InterruptBytes];
        Resources.Memory32Fixed(resources, (uint)GuestLayout.VirtioMmio(device).Value, (uint)GuestLayout.VirtioMmioBytes);
        Resources.Interrupt(resources[Resources.Memory32FixedBytes..], GuestLayout.VirtioGsi(device));
        int start = aml.BeginDevice(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"VR{device:X2}")));
        aml.NameString("_HID"u8, "LNRO0005"u8); // what the virtio-mmio driver of Linux binds to
        aml.NameInteger("_UID"u8, (uint)device);
        aml.NameInteger("_CCA"u8, 1); // cache-coherent DMA
        aml.NameResources(resources);
        aml.End(start);
    }
}
