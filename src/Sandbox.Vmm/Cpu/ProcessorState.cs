using System.Buffers.Binary;
using Sandbox.Kvm;
using Sandbox.Kvm.Abi;

namespace Sandbox.Vmm.Cpu;

/// <summary>What firmware would have left in every processor: model-specific registers, floating point, local interrupt pins.</summary>
internal static class ProcessorState
{
    private const uint MiscEnable = 0x1A0; // IA32_MISC_ENABLE
    private const ulong FastStrings = 1;
    private const uint MtrrDefaultType = 0x2FF; // IA32_MTRR_DEF_TYPE
    private const ulong MtrrEnabledWriteBack = (1 << 11) | 6;

    private const int LvtLint0 = 0x350;
    private const int LvtLint1 = 0x360;
    private const uint Masked = 1 << 16;
    private const uint DeliverNmi = 4 << 8;

    /// <summary>Brings a new vCPU to that state.</summary>
    /// <exception cref="Sandbox.Linux.LinuxException">The kernel refused.</exception>
    public static void Prepare(KvmVcpu vcpu)
    {
        // Either may be unknown to a host's KVM: a guest then sees the reset value and gets along.
        _ = vcpu.TrySetMsr(MiscEnable, FastStrings);
        _ = vcpu.TrySetMsr(MtrrDefaultType, MtrrEnabledWriteBack);

        // FNINIT's control word and the reset value of MXCSR (Intel SDM vol. 3A, table 10-1).
        vcpu.SetFpu(new kvm_fpu { fcw = 0x37F, mxcsr = 0x1F80 });

        kvm_lapic_state apic = vcpu.LocalApic;
        // KVM leaves LINT0 of vCPU 0 open to its 8259, which nobody programs on a machine without legacy interrupts (MADT flag
        // PCAT_COMPAT is clear): a device's line would arrive a second time, as vector 4 or 5, an exception.
        SetLocalVector(ref apic, LvtLint0, Masked);
        SetLocalVector(ref apic, LvtLint1, DeliverNmi);
        vcpu.LocalApic = apic;
    }

    private static void SetLocalVector(ref kvm_lapic_state apic, int register, uint value)
    {
        Span<byte> registers = apic.regs;
        BinaryPrimitives.WriteUInt32LittleEndian(registers[register..], value);
    }
}
