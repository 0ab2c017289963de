using System.Buffers.Binary;
using Sandbox.Fuzz.Engine;

namespace Sandbox.Fuzz.Targets;

/// <summary>Kernel files from an input: a bzImage or an ELF file, nearly right.</summary>
internal static class KernelImage
{
    public const int MaxBytes = 32 * 1024;

    /// <summary>Builds into the buffer; the file's length.</summary>
    public static int Build(ref InputReader input, byte[] image)
    {
        Array.Clear(image);
        int length = input.OneIn(2) ? Elf(ref input, image) : BzImage(ref input, image);
        for (int change = input.OneIn(3) ? input.Below(4) : 0; change != 0; change--)
        {
            BitConverter.TryWriteBytes(image.AsSpan(input.OneIn(2) ? input.U16() % 0x300 : input.U16() % (MaxBytes - 8)), input.Edge32());
        }

        return input.OneIn(12) ? input.U16() % (length + 1) : length;
    }

    private static int BzImage(ref InputReader input, byte[] image)
    {
        int sectors = input.OneIn(4) ? input.Byte() : 4;
        uint code = 16u * (input.OneIn(6) ? input.U16() % 2048u : 64);
        "MZ"u8.CopyTo(image);
        image[0x1F1] = (byte)sectors;
        Put32(image, 0x1F4, input.OneIn(10) ? input.Edge32() : code / 16);
        Put16(image, 0x1FE, 0xAA55);
        image[0x200] = 0xEB;
        image[0x201] = input.OneIn(6) ? input.Byte() : (byte)0x6A;
        "HdrS"u8.CopyTo(image.AsSpan(0x202));
        Put16(image, 0x206, input.OneIn(12) ? input.U16() : (ushort)0x20F);
        image[0x211] = input.OneIn(12) ? input.Byte() : (byte)1;
        Put32(image, 0x22C, input.OneIn(4) ? input.Edge32() : 0x7FFF_FFFF);
        Put32(image, 0x230, 0x20_0000);
        Put16(image, 0x236, input.OneIn(12) ? input.U16() : (ushort)1);
        Put32(image, 0x238, input.OneIn(4) ? input.Edge32() : 2047);
        Put64(image, 0x258, input.OneIn(4) ? input.Edge() : 0x10_0000ul + (0x1000ul * (uint)input.Below(64)));
        Put32(image, 0x260, input.OneIn(4) ? input.Edge32() : 0x1_0000);
        int codeOffset = ((sectors == 0 ? 4 : sectors) + 1) * 512;
        image.AsSpan(Math.Min(codeOffset, MaxBytes)).Fill(0xB2);
        return (int)Math.Min(MaxBytes, codeOffset + code);
    }

    private static int Elf(ref InputReader input, byte[] image)
    {
        int segments = input.OneIn(12) ? input.Byte() : 1 + input.Below(4);
        "\u007fELF"u8.CopyTo(image);
        image[4] = 2; // 64 bits
        image[5] = 1; // little-endian
        image[6] = 1;
        Put16(image, 16, 2); // ET_EXEC
        Put16(image, 18, 62); // EM_X86_64
        Put32(image, 20, 1);
        Put64(image, 24, input.OneIn(4) ? input.Edge() : 0x10_0000ul + input.Byte());
        Put64(image, 32, input.OneIn(12) ? input.Edge() : 64);
        Put16(image, 52, 64);
        Put16(image, 54, input.OneIn(12) ? input.U16() : (ushort)56);
        Put16(image, 56, (ushort)segments);
        for (int index = 0; index < segments && 64 + (56 * (index + 1)) <= 0x1000; index++)
        {
            bool note = input.OneIn(3);
            int at = 64 + (56 * index);
            ulong offset = input.OneIn(8) ? input.Edge() : 0x1000ul + (0x800ul * (uint)index);
            ulong fileBytes = input.OneIn(6) ? input.Edge() : note ? 64ul : 0x800;
            Put32(image, at, input.OneIn(12) ? input.Edge32() : note ? 4u : 1);
            Put64(image, at + 8, offset);
            Put64(image, at + 24, input.OneIn(6) ? input.Edge() : 0x10_0000ul + (0x1000ul * (uint)index));
            Put64(image, at + 32, fileBytes);
            Put64(image, at + 40, input.OneIn(6) ? input.Edge() : Math.Min(fileBytes, 0x1_0000) + input.Byte());
            if (note && offset < MaxBytes - 64)
            {
                Note(ref input, image.AsSpan((int)offset));
            }
        }

        image.AsSpan(0x5000, 0x1000).Fill(0xE1);
        return 0x6000;
    }

    private static void Note(ref InputReader input, Span<byte> at)
    {
        if (input.OneIn(3))
        {
            BinaryPrimitives.WriteUInt32LittleEndian(at, input.OneIn(3) ? input.Edge32() : 4);
            BinaryPrimitives.WriteUInt32LittleEndian(at[4..], input.OneIn(3) ? input.Edge32() : 6);
            BinaryPrimitives.WriteUInt32LittleEndian(at[8..], 1);
            at = at[24..];
        }

        BinaryPrimitives.WriteUInt32LittleEndian(at, input.OneIn(6) ? input.Edge32() : 4);
        BinaryPrimitives.WriteUInt32LittleEndian(at[4..], input.OneIn(4) ? input.Edge32() : 4);
        BinaryPrimitives.WriteUInt32LittleEndian(at[8..], input.OneIn(8) ? input.Edge32() : 18);
        "Xen\0"u8.CopyTo(at[12..]);
        BinaryPrimitives.WriteUInt64LittleEndian(at[16..], input.OneIn(3) ? input.Edge() : 0x10_0000);
    }

    private static void Put16(byte[] image, int at, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(at), value);

    private static void Put32(byte[] image, int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(at), value);

    private static void Put64(byte[] image, int at, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(at), value);
}
