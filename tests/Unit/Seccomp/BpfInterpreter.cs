using System.Buffers.Binary;
using Sandbox.Seccomp;

namespace Sandbox.Unit.Tests.Seccomp;

/// <summary>Runs a classic BPF program on a struct seccomp_data as the kernel does (Documentation/networking/filter.rst); refuses what the kernel's checker refuses.</summary>
internal static class BpfInterpreter
{
    public static uint Run(ReadOnlySpan<byte> program, uint architecture, uint number, ReadOnlySpan<ulong> arguments)
    {
        Span<byte> data = stackalloc byte[64];
        BinaryPrimitives.WriteUInt32LittleEndian(data, number);
        BinaryPrimitives.WriteUInt32LittleEndian(data[4..], architecture);
        for (int index = 0; index < 6; index++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(data[(16 + (8 * index))..], arguments[index]);
        }

        uint a = 0;
        for (int pc = 0; pc < program.Length / 8; pc++)
        {
            ReadOnlySpan<byte> at = program.Slice(pc * 8, 8);
            ushort code = BinaryPrimitives.ReadUInt16LittleEndian(at);
            uint k = BinaryPrimitives.ReadUInt32LittleEndian(at[4..]);
            switch (code)
            {
                case BpfInstruction.LoadWord:
                    a = BinaryPrimitives.ReadUInt32LittleEndian(data[(int)k..]);
                    break;
                case BpfInstruction.And:
                    a &= k;
                    break;
                case BpfInstruction.JumpAlways:
                    pc += (int)k;
                    break;
                case BpfInstruction.JumpEqual:
                    pc += a == k ? at[2] : at[3];
                    break;
                case BpfInstruction.JumpGreater:
                    pc += a > k ? at[2] : at[3];
                    break;
                case BpfInstruction.JumpGreaterEqual:
                    pc += a >= k ? at[2] : at[3];
                    break;
                case BpfInstruction.Return:
                    return k;
                default:
                    throw new InvalidOperationException($"instruction {pc}: code 0x{code:x}");
            }
        }

        throw new InvalidOperationException("ran off the end");
    }
}
