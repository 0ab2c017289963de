using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sandbox.Kvm.Abi;

/// <summary>x87 and SSE state (asm/kvm.h).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct kvm_fpu
{
    public kvm_fpu_fpr fpr;
    public ushort fcw;
    public ushort fsw;
    public byte ftwx;
    public byte pad1;
    public ushort last_opcode;
    public ulong last_ip;
    public ulong last_dp;
    public kvm_fpu_xmm xmm;
    public uint mxcsr;
    public uint pad2;
}

/// <summary>The array <c>__u8 fpr[8][16]</c>.</summary>
[InlineArray(8 * 16)]
public struct kvm_fpu_fpr
{
    private byte _first;
}

/// <summary>The array <c>__u8 xmm[16][16]</c>.</summary>
[InlineArray(16 * 16)]
public struct kvm_fpu_xmm
{
    private byte _first;
}
