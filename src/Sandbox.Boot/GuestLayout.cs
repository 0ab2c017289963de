using Sandbox.Memory;

namespace Sandbox.Boot;

/// <summary>
/// Where everything lies in a guest's physical address space and on its interrupt pins: the one place that the loader, the ACPI
/// tables and the VMM agree on. Addresses and lengths in bytes.
/// </summary>
public static class GuestLayout
{
    /// <summary>RAM below the hole ends here at most; the rest of it begins at <see cref="HighMemoryStart"/>.</summary>
    public const ulong LowMemoryLimit = 0xC000_0000;

    /// <summary>First byte above 4 GiB.</summary>
    public const ulong HighMemoryStart = 0x1_0000_0000;

    /// <summary>Below this lie only tables that the VMM writes; kernels are loaded at or above it.</summary>
    public const ulong KernelMemoryStart = 0x10_0000;

    /// <summary>The extended BIOS data area of old, ACPI tables and what once was ROM: reserved in the memory map up to <see cref="KernelMemoryStart"/>.</summary>
    public const ulong ReservedStart = 0x9_FC00;

    public static readonly GuestAddress BootGdt = new(0x500);
    public static readonly GuestAddress PvhStartInfo = new(0x6000);
    public static readonly GuestAddress ZeroPage = new(0x7000);

    /// <summary>Six pages: level 4, level 3, and four of level 2 that map the first 4 GiB one to one.</summary>
    public static readonly GuestAddress PageTables = new(0x9000);
    public static readonly GuestAddress CommandLine = new(0x2_0000);

    /// <summary>The RSDP, where a kernel that is told nothing searches for it (ACPI 6.4, 5.2.5.1), and the tables after it.</summary>
    public static readonly GuestAddress AcpiTables = new(0xE_0000);
    public const uint AcpiTablesBytes = 0x1_0000;

    /// <summary>Registers of virtio-mmio device i: <c>VirtioMmioStart + i * VirtioMmioBytes</c>.</summary>
    public const ulong VirtioMmioStart = 0xD000_0000;
    public const ulong VirtioMmioBytes = 0x1000;

    /// <summary>Interrupt pin of virtio-mmio device i: <c>FirstVirtioGsi + i</c>; the IOAPIC of KVM has 24 pins.</summary>
    public const int FirstVirtioGsi = 5;
    public const int MaxVirtioDevices = 17;

    public const ulong IoApic = 0xFEC0_0000;
    public const ulong LocalApic = 0xFEE0_0000;

    /// <summary>A page that KVM needs on Intel processors without unrestricted guest mode, and after it the three pages of a TSS.</summary>
    public const ulong KvmIdentityMap = 0xFFFB_C000;
    public const ulong KvmTss = 0xFFFB_D000;

    public const ushort SerialPort = 0x3F8;
    public const int SerialGsi = 4;

    /// <summary>The longest command line in bytes, without its closing NUL: what x86 Linux takes (COMMAND_LINE_SIZE 2048).</summary>
    public const int MaxCommandLineBytes = 2047;

    /// <summary>Most virtual processors: APIC ids up to 254 fit the local APIC entries and every IOAPIC destination.</summary>
    public const int MaxCpus = 254;

    /// <summary>Length of the RAM below the hole.</summary>
    public static ulong LowMemoryBytes(ulong memoryBytes) => Math.Min(memoryBytes, LowMemoryLimit);

    /// <summary>Length of the RAM from 4 GiB; zero when all of it fits below the hole.</summary>
    public static ulong HighMemoryBytes(ulong memoryBytes) => memoryBytes - LowMemoryBytes(memoryBytes);

    /// <summary>The RAM as regions of one file: one, or two when it is larger than the room below the hole.</summary>
    public static GuestMemoryRegion[] GetMemoryRegions(ulong memoryBytes)
    {
        GuestMemoryRegion low = new(new GuestAddress(0), LowMemoryBytes(memoryBytes), 0);
        ulong highBytes = HighMemoryBytes(memoryBytes);
        return highBytes == 0 ? [low] : [low, new GuestMemoryRegion(new GuestAddress(HighMemoryStart), highBytes, low.LengthBytes)];
    }

    public static GuestAddress VirtioMmio(int device) => new(VirtioMmioStart + ((ulong)device * VirtioMmioBytes));

    public static int VirtioGsi(int device) => FirstVirtioGsi + device;
}
