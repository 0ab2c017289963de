using Sandbox.Memory;

namespace Sandbox.Boot;

/// <summary>In which state the first virtual processor starts.</summary>
public enum BootEntry
{
    /// <summary>
    /// Long mode: CR3 = <see cref="GuestLayout.PageTables"/>, code and data selectors of <see cref="LongModeTables"/>, RSI = address of the zero page, interrupts off
    /// (Linux boot protocol, "64-bit Boot Protocol").
    /// </summary>
    Linux64,

    /// <summary>
    /// 32-bit protected mode without paging, flat segments (code 0x08, data 0x10, TSS 0x18 of <see cref="ProtectedModeTables"/>), EBX = address of the start
    /// info, interrupts off (Xen "PVH boot ABI").
    /// </summary>
    Pvh,
}

/// <summary>What the VMM needs to start the first virtual processor after everything is in guest memory.</summary>
/// <param name="Entry">Processor state.</param>
/// <param name="EntryPoint">First instruction, guest-physical.</param>
/// <param name="StartInfo">The zero page (RSI) or the PVH start info (EBX).</param>
public readonly record struct BootPlan(BootEntry Entry, GuestAddress EntryPoint, GuestAddress StartInfo);

/// <summary>The machine as the boot tables describe it.</summary>
/// <param name="MemoryBytes">RAM, a multiple of 4 KiB.</param>
/// <param name="CpuCount">1 to <see cref="GuestLayout.MaxCpus"/>; APIC id = index.</param>
/// <param name="VirtioDeviceCount">0 to <see cref="GuestLayout.MaxVirtioDevices"/>.</param>
public readonly record struct BootMachine(ulong MemoryBytes, int CpuCount, int VirtioDeviceCount);

/// <summary>A run of guest-physical bytes.</summary>
internal readonly record struct Extent(ulong Start, ulong LengthBytes)
{
    public ulong End => Start + LengthBytes;
}
