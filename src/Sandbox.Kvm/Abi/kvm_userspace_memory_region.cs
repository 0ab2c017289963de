using System.Runtime.InteropServices;

namespace Sandbox.Kvm.Abi;

/// <summary>One slot of guest memory (linux/kvm.h).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct kvm_userspace_memory_region
{
    public uint slot;
    public uint flags;
    public ulong guest_phys_addr;
    public ulong memory_size;
    public ulong userspace_addr;
}
