using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sandbox.Kvm.Abi;

/// <summary>The page that a vCPU shares with this process: the exits that this project handles (linux/kvm.h).</summary>
[StructLayout(LayoutKind.Explicit)]
public struct kvm_run
{
    [FieldOffset(0)]
    public byte request_interrupt_window;

    [FieldOffset(1)]
    public byte immediate_exit;

    [FieldOffset(8)]
    public uint exit_reason;

    [FieldOffset(12)]
    public byte ready_for_interrupt_injection;

    [FieldOffset(13)]
    public byte if_flag;

    [FieldOffset(14)]
    public ushort flags;

    [FieldOffset(16)]
    public ulong cr8;

    [FieldOffset(24)]
    public ulong apic_base;

    // The members of the union; each type below is the anonymous struct that carries the member's name in C.
    [FieldOffset(32)]
    public kvm_run_hw hw;

    [FieldOffset(32)]
    public kvm_run_fail_entry fail_entry;

    [FieldOffset(32)]
    public kvm_run_io io;

    [FieldOffset(32)]
    public kvm_run_mmio mmio;

    [FieldOffset(32)]
    public kvm_run_internal @internal;

    [FieldOffset(32)]
    public kvm_run_system_event system_event;
}

/// <summary>KVM_EXIT_UNKNOWN.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct kvm_run_hw
{
    public ulong hardware_exit_reason;
}

/// <summary>KVM_EXIT_FAIL_ENTRY.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct kvm_run_fail_entry
{
    public ulong hardware_entry_failure_reason;
    public uint cpu;
}

/// <summary>KVM_EXIT_IO.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct kvm_run_io
{
    public byte direction;
    public byte size;
    public ushort port;
    public uint count;
    public ulong data_offset;
}

/// <summary>KVM_EXIT_MMIO.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct kvm_run_mmio
{
    public ulong phys_addr;
    public kvm_run_mmio_data data;
    public uint len;
    public byte is_write;
}

/// <summary>The array <c>__u8 data[8]</c>.</summary>
[InlineArray(8)]
public struct kvm_run_mmio_data
{
    private byte _first;
}

/// <summary>KVM_EXIT_INTERNAL_ERROR; <c>ndata</c> values follow.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct kvm_run_internal
{
    public uint suberror;
    public uint ndata;
    public ulong data;
}

/// <summary>KVM_EXIT_SYSTEM_EVENT.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct kvm_run_system_event
{
    public uint type;
    public uint ndata;
    public ulong flags;
}
