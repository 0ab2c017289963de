using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sandbox.Kvm.Abi;

/// <summary>Segment and control registers (asm/kvm.h).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct kvm_sregs
{
    public kvm_segment cs;
    public kvm_segment ds;
    public kvm_segment es;
    public kvm_segment fs;
    public kvm_segment gs;
    public kvm_segment ss;
    public kvm_segment tr;
    public kvm_segment ldt;
    public kvm_dtable gdt;
    public kvm_dtable idt;
    public ulong cr0;
    public ulong cr2;
    public ulong cr3;
    public ulong cr4;
    public ulong cr8;
    public ulong efer;
    public ulong apic_base;
    public kvm_interrupt_bitmap interrupt_bitmap;
}

/// <summary>One segment register with its hidden part (asm/kvm.h).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct kvm_segment
{
    public ulong @base;
    public uint limit;
    public ushort selector;
    public byte type;
    public byte present;
    public byte dpl;
    public byte db;
    public byte s;
    public byte l;
    public byte g;
    public byte avl;
    public byte unusable;
    public byte padding;
}

/// <summary>A descriptor table register (asm/kvm.h).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct kvm_dtable
{
    public ulong @base;
    public ushort limit;
    public kvm_dtable_padding padding;
}

/// <summary>The array <c>__u16 padding[3]</c>.</summary>
[InlineArray(3)]
public struct kvm_dtable_padding
{
    private ushort _first;
}

/// <summary>The array <c>__u64 interrupt_bitmap[4]</c>: the interrupt KVM is about to inject.</summary>
[InlineArray(4)]
public struct kvm_interrupt_bitmap
{
    private ulong _first;
}
