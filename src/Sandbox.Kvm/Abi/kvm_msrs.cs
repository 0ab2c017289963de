using System.Runtime.InteropServices;

namespace Sandbox.Kvm.Abi;

/// <summary>One model-specific register and its value (asm/kvm.h).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct kvm_msr_entry
{
    public uint index;
    public uint reserved;
    public ulong data;
}

/// <summary>Head of a list of <see cref="kvm_msr_entry"/>, which follow it (asm/kvm.h).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct kvm_msrs
{
    public uint nmsrs;
    public uint pad;
}
