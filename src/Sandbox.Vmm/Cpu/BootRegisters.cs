using Sandbox.Boot;
using Sandbox.Kvm;
using Sandbox.Kvm.Abi;

namespace Sandbox.Vmm.Cpu;

/// <summary>Puts the first vCPU into the state in which a kernel wants to be entered.</summary>
internal static class BootRegisters
{
    private const ulong ProtectionEnable = 1 << 0; // CR0.PE
    private const ulong ExtensionType = 1 << 4; // CR0.ET, always one
    private const ulong Paging = 1UL << 31; // CR0.PG
    private const ulong PhysicalAddressExtension = 1 << 5; // CR4.PAE
    private const ulong LongModeEnableAndActive = (1 << 8) | (1 << 10); // EFER.LME, EFER.LMA
    private const ulong ReservedFlag = 1 << 1; // RFLAGS, always one; interrupts are off

    /// <exception cref="Sandbox.Linux.LinuxException">The kernel refused.</exception>
    public static void Apply(KvmVcpu vcpu, in BootPlan plan)
    {
        kvm_sregs system = vcpu.SystemRegisters;
        kvm_regs general = new() { rip = plan.EntryPoint.Value, rflags = ReservedFlag };
        if (plan.Entry == BootEntry.Pvh)
        {
            SetProtectedMode(ref system);
            general.rbx = plan.StartInfo.Value;
        }
        else
        {
            SetLongMode(ref system);
            general.rsi = plan.StartInfo.Value;
        }

        vcpu.SystemRegisters = system;
        vcpu.Registers = general;
    }

    private static void SetProtectedMode(ref kvm_sregs system)
    {
        system.cs = SegmentDescriptor.Decode(ProtectedModeTables.CodeSelector, ProtectedModeTables.CodeDescriptor);
        SetDataSegments(ref system, SegmentDescriptor.Decode(ProtectedModeTables.DataSelector, ProtectedModeTables.DataDescriptor));
        system.tr = SegmentDescriptor.Decode(ProtectedModeTables.TssSelector, ProtectedModeTables.TssDescriptor);
        system.gdt.@base = GuestLayout.BootGdt.Value;
        system.gdt.limit = ProtectedModeTables.GdtBytes - 1;
        system.cr0 = ProtectionEnable | ExtensionType;
        system.cr4 = 0;
        system.efer = 0;
    }

    private static void SetLongMode(ref kvm_sregs system)
    {
        system.cs = SegmentDescriptor.Decode(LongModeTables.CodeSelector, LongModeTables.CodeDescriptor);
        SetDataSegments(ref system, SegmentDescriptor.Decode(LongModeTables.DataSelector, LongModeTables.DataDescriptor));
        system.tr = SegmentDescriptor.Decode(LongModeTables.TssSelector, LongModeTables.TssDescriptor);
        system.gdt.@base = GuestLayout.BootGdt.Value;
        system.gdt.limit = LongModeTables.GdtBytes - 1;
        system.cr0 = ProtectionEnable | ExtensionType | Paging;
        system.cr3 = GuestLayout.PageTables.Value;
        system.cr4 = PhysicalAddressExtension;
        system.efer = LongModeEnableAndActive;
    }

    private static void SetDataSegments(ref kvm_sregs system, kvm_segment data)
    {
        system.ds = data;
        system.es = data;
        system.fs = data;
        system.gs = data;
        system.ss = data;
    }
}
