using System.Buffers.Binary;

namespace Sandbox.Lab.Tests;

/// <summary>Writes small ELF64 files: kernels that loop for ever, and kernels that no VMM may load.</summary>
internal static class ElfImage
{
    private const int HeaderBytes = 64;
    private const int ProgramHeaderBytes = 56;

    /// <summary>An executable of segments at physical addresses, each of two bytes (jump to itself) in the file.</summary>
    public static byte[] Write(ulong entry, params (ulong Address, ulong MemoryBytes)[] segments)
    {
        int codeOffset = HeaderBytes + (ProgramHeaderBytes * segments.Length);
        byte[] file = new byte[codeOffset + 2];
        ((ReadOnlySpan<byte>)[0x7F, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1]).CopyTo(file);
        Put16(16, 2); // e_type: ET_EXEC
        Put16(18, 62); // e_machine: EM_X86_64
        Put32(20, 1);
        Put64(24, entry);
        Put64(32, HeaderBytes); // e_phoff
        Put16(52, HeaderBytes);
        Put16(54, ProgramHeaderBytes);
        Put16(56, (ushort)segments.Length);
        for (int index = 0; index < segments.Length; index++)
        {
            int at = HeaderBytes + (ProgramHeaderBytes * index);
            Put32(at, 1); // PT_LOAD
            Put32(at + 4, 7);
            Put64(at + 8, (ulong)codeOffset);
            Put64(at + 16, segments[index].Address);
            Put64(at + 24, segments[index].Address);
            Put64(at + 32, 2);
            Put64(at + 40, segments[index].MemoryBytes);
        }

        file[codeOffset] = 0xEB; // jmp .
        file[codeOffset + 1] = 0xFE;
        return file;

        void Put16(int at, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(at), value);
        void Put32(int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(at), value);
        void Put64(int at, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(at), value);
    }
}
