using System.Buffers.Binary;

namespace Sandbox.Boot.Elf;

/// <summary>The fields of an ELF64 header that a loader needs (System V ABI, elf(5)).</summary>
internal readonly record struct ElfHeader(ulong EntryPoint, ulong ProgramHeaderOffset, int ProgramHeaderCount)
{
    public const int SizeBytes = 64;
    public const int MaxProgramHeaders = 64;

    private const byte Class64 = 2;
    private const byte LittleEndian = 1;
    private const ushort TypeExecutable = 2;
    private const ushort MachineX64 = 62;

    public static KernelFault Read(ReadOnlySpan<byte> bytes, out ElfHeader header)
    {
        header = new ElfHeader(
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..]),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[32..]),
            BinaryPrimitives.ReadUInt16LittleEndian(bytes[56..]));
        if (bytes[4] != Class64 || bytes[5] != LittleEndian || BinaryPrimitives.ReadUInt16LittleEndian(bytes[18..]) != MachineX64)
        {
            return KernelFault.ElfNotX64;
        }

        if (BinaryPrimitives.ReadUInt16LittleEndian(bytes[16..]) != TypeExecutable)
        {
            return KernelFault.ElfNotExecutable;
        }

        bool soundHeaders = BinaryPrimitives.ReadUInt16LittleEndian(bytes[54..]) == ProgramHeader.SizeBytes
            && header.ProgramHeaderCount is > 0 and <= MaxProgramHeaders;
        return soundHeaders ? KernelFault.None : KernelFault.ElfBadProgramHeaders;
    }
}

/// <summary>One ELF64 program header.</summary>
internal readonly record struct ProgramHeader(uint Kind, ulong FileOffset, ulong PhysicalAddress, ulong FileBytes, ulong MemoryBytes)
{
    public const int SizeBytes = 56;
    public const uint Load = 1;
    public const uint Note = 4;

    public static ProgramHeader Read(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadUInt32LittleEndian(bytes),
        BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]),
        BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..]),
        BinaryPrimitives.ReadUInt64LittleEndian(bytes[32..]),
        BinaryPrimitives.ReadUInt64LittleEndian(bytes[40..]));

    public bool IsInsideFile(ulong fileBytes) => FileOffset <= fileBytes && FileBytes <= fileBytes - FileOffset;
}
