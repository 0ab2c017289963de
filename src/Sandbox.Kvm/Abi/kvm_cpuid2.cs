using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sandbox.Kvm.Abi;

/// <summary>What CPUID answers for one leaf and subleaf (asm/kvm.h).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct kvm_cpuid_entry2
{
    public uint function;
    public uint index;
    public uint flags;
    public uint eax;
    public uint ebx;
    public uint ecx;
    public uint edx;
    public kvm_cpuid_entry2_padding padding;
}

/// <summary>The array <c>__u32 padding[3]</c>.</summary>
[InlineArray(3)]
public struct kvm_cpuid_entry2_padding
{
    private uint _first;
}

/// <summary>Head of a list of <see cref="kvm_cpuid_entry2"/>, which follow it (asm/kvm.h).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct kvm_cpuid2
{
    public uint nent;
    public uint padding;
}
