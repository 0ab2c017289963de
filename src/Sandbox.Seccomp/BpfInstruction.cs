using System.Buffers.Binary;

namespace Sandbox.Seccomp;

/// <summary>One classic BPF instruction: struct sock_filter (linux/filter.h), 8 bytes.</summary>
public readonly record struct BpfInstruction(ushort Code, byte JumpTrue, byte JumpFalse, uint K)
{
    public const int SizeBytes = 8;

    // linux/bpf_common.h: class | size or operation | mode or source.
    public const ushort LoadWord = 0x20;        // BPF_LD | BPF_W | BPF_ABS
    public const ushort JumpAlways = 0x05;      // BPF_JMP | BPF_JA
    public const ushort JumpEqual = 0x15;       // BPF_JMP | BPF_JEQ | BPF_K
    public const ushort JumpGreater = 0x25;     // BPF_JMP | BPF_JGT | BPF_K
    public const ushort JumpGreaterEqual = 0x35; // BPF_JMP | BPF_JGE | BPF_K
    public const ushort And = 0x54;             // BPF_ALU | BPF_AND | BPF_K
    public const ushort Return = 0x06;          // BPF_RET | BPF_K

    public void WriteTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(destination, Code);
        destination[2] = JumpTrue;
        destination[3] = JumpFalse;
        BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], K);
    }
}
