using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sandbox.Kvm.Abi;

/// <summary>The register page of a local APIC (asm/kvm.h).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct kvm_lapic_state
{
    public kvm_lapic_regs regs;
}

/// <summary>The array <c>char regs[KVM_APIC_REG_SIZE]</c>.</summary>
[InlineArray(0x400)]
public struct kvm_lapic_regs
{
    private byte _first;
}

/// <summary>Whether a vCPU runs, halts or waits for SIPI (linux/kvm.h).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct kvm_mp_state
{
    public uint mp_state;
}
