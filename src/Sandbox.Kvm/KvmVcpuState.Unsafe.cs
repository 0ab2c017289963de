using System.Runtime.InteropServices;
using Sandbox.Kvm.Abi;
using Sandbox.Linux;

namespace Sandbox.Kvm;

/// <summary>The registers of a vCPU that does not run.</summary>
public sealed unsafe partial class KvmVcpu
{
    // SAFETY: (all of this file) only the sizes of two structs; the pointers are KvmCalls' own.

    /// <summary>General registers.</summary>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public kvm_regs Registers
    {
        get => Get<kvm_regs>(KvmIoctl.KVM_GET_REGS, "KVM_GET_REGS");
        set => Set(KvmIoctl.KVM_SET_REGS, value, "KVM_SET_REGS");
    }

    /// <summary>Segment and control registers.</summary>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public kvm_sregs SystemRegisters
    {
        get => Get<kvm_sregs>(KvmIoctl.KVM_GET_SREGS, "KVM_GET_SREGS");
        set => Set(KvmIoctl.KVM_SET_SREGS, value, "KVM_SET_SREGS");
    }

    /// <summary>The local APIC's register page.</summary>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public kvm_lapic_state LocalApic
    {
        get => Get<kvm_lapic_state>(KvmIoctl.KVM_GET_LAPIC, "KVM_GET_LAPIC");
        set => Set(KvmIoctl.KVM_SET_LAPIC, value, "KVM_SET_LAPIC");
    }

    /// <summary>Whether it runs or waits for SIPI (KVM_MP_STATE_*).</summary>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public uint MpState
    {
        get => Get<kvm_mp_state>(KvmIoctl.KVM_GET_MP_STATE, "KVM_GET_MP_STATE").mp_state;
        set => Set(KvmIoctl.KVM_SET_MP_STATE, new kvm_mp_state { mp_state = value }, "KVM_SET_MP_STATE");
    }

    /// <summary>Sets the x87 and SSE state.</summary>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public void SetFpu(in kvm_fpu state) => Set(KvmIoctl.KVM_SET_FPU, state, "KVM_SET_FPU");

    /// <summary>Sets what CPUID answers. Comes before the first run.</summary>
    /// <exception cref="LinuxException">The kernel refused.</exception>
    public void SetCpuid(ReadOnlySpan<kvm_cpuid_entry2> entries)
    {
        byte[] buffer = CpuidBuffer.Create(entries.Length);
        entries.CopyTo(CpuidBuffer.Entries(buffer));
        LinuxException.Check(KvmCalls.Call(_fd.Number, KvmIoctl.KVM_SET_CPUID2, buffer), "KVM_SET_CPUID2");
    }

    /// <summary>Sets one model-specific register; false where this host's KVM does not take it.</summary>
    public bool TrySetMsr(uint index, ulong value)
    {
        Span<byte> buffer = stackalloc byte[sizeof(kvm_msrs) + sizeof(kvm_msr_entry)];
        kvm_msrs head = new() { nmsrs = 1 };
        kvm_msr_entry entry = new() { index = index, data = value };
        MemoryMarshal.Write(buffer, in head);
        MemoryMarshal.Write(buffer[sizeof(kvm_msrs)..], in entry);
        return KvmCalls.Call(_fd.Number, KvmIoctl.KVM_SET_MSRS, buffer) == 1;
    }

    private T Get<T>(uint request, string name)
        where T : unmanaged
    {
        T state = default;
        LinuxException.Check(KvmCalls.Call(_fd.Number, request, ref state), name);
        return state;
    }

    private void Set<T>(uint request, T state, string name)
        where T : unmanaged => LinuxException.Check(KvmCalls.Call(_fd.Number, request, ref state), name);
}
