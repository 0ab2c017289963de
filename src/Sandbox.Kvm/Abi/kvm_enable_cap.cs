using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sandbox.Kvm.Abi;

/// <summary>Turns an optional behaviour of a machine on (linux/kvm.h).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct kvm_enable_cap
{
    public uint cap;
    public uint flags;
    public kvm_enable_cap_args args;
    public kvm_enable_cap_pad pad;
}

/// <summary>The array <c>__u64 args[4]</c>.</summary>
[InlineArray(4)]
public struct kvm_enable_cap_args
{
    private ulong _first;
}

/// <summary>The array <c>__u8 pad[64]</c>.</summary>
[InlineArray(64)]
public struct kvm_enable_cap_pad
{
    private byte _first;
}
