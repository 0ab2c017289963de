using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sandbox.Kvm.Abi;

/// <summary>Ties an eventfd to an interrupt line (linux/kvm.h).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct kvm_irqfd
{
    public uint fd;
    public uint gsi;
    public uint flags;
    public uint resamplefd;
    public kvm_irqfd_pad pad;
}

/// <summary>The array <c>__u8 pad[16]</c>.</summary>
[InlineArray(16)]
public struct kvm_irqfd_pad
{
    private byte _first;
}

/// <summary>Ties a guest write to an eventfd (linux/kvm.h).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct kvm_ioeventfd
{
    public ulong datamatch;
    public ulong addr;
    public uint len;
    public int fd;
    public uint flags;
    public kvm_ioeventfd_pad pad;
}

/// <summary>The array <c>__u8 pad[36]</c>.</summary>
[InlineArray(36)]
public struct kvm_ioeventfd_pad
{
    private byte _first;
}
