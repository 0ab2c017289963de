using System.Buffers.Binary;
using Sandbox.Boot.Linux;

namespace Sandbox.Unit.Tests.Boot;

/// <summary>One program header of a made-up kernel.</summary>
internal readonly record struct Segment(uint Kind, ulong Offset, ulong Physical, ulong FileBytes, ulong MemoryBytes);

/// <summary>Makes kernel images, whole or broken, written from the formats' documents.</summary>
internal static class KernelImages
{
    public const uint Load = 1;
    public const uint Note = 4;
    public const int ElfBytes = 0x3000;
    public const ulong ElfStart = 0x100_0000;
    public const ulong ElfEntry = ElfStart + 0x40;

    /// <summary>A sound ELF kernel: one segment of 0x1000 bytes from offset 0x1000, all 0xE1.</summary>
    public static byte[] Elf(params Segment[] segments)
    {
        byte[] image = new byte[ElfBytes];
        segments = segments.Length == 0 ? [new Segment(Load, 0x1000, ElfStart, 0x1000, 0x2000)] : segments;
        image.AsSpan(0x1000, 0x1000).Fill(0xE1);
        "\u007fELF"u8.CopyTo(image);
        image[4] = 2; // 64 bits
        image[5] = 1; // little-endian
        image[6] = 1;
        Put16(image, 16, 2); // executable
        Put16(image, 18, 62); // x86-64
        Put64(image, 24, ElfEntry);
        Put64(image, 32, 64); // program headers follow
        Put16(image, 54, 56);
        Put16(image, 56, (ushort)segments.Length);
        for (int index = 0; index < segments.Length && 64 + (index * 56) + 56 <= 0x1000; index++)
        {
            int at = 64 + (index * 56);
            Put32(image, at, segments[index].Kind);
            Put64(image, at + 8, segments[index].Offset);
            Put64(image, at + 16, 0xFFFF_FFFF_8100_0000); // virtual: of no meaning here
            Put64(image, at + 24, segments[index].Physical);
            Put64(image, at + 32, segments[index].FileBytes);
            Put64(image, at + 40, segments[index].MemoryBytes);
        }

        return image;
    }

    /// <summary>The same with a note that names a PVH entry, after another owner's note.</summary>
    public static byte[] ElfWithPvhNote(ulong entry, int valueBytes = 4)
    {
        byte[] image = Elf(new Segment(Load, 0x1000, ElfStart, 0x1000, 0x2000), new Segment(Note, 0x2000, 0, (ulong)(44 + valueBytes), 0));
        Put32(image, 0x2000, 4);
        Put32(image, 0x2004, 6); // padded to 8
        Put32(image, 0x2008, 18);
        "GNU\0"u8.CopyTo(image.AsSpan(0x200C));
        Put32(image, 0x2018, 4);
        Put32(image, 0x201C, (uint)valueBytes);
        Put32(image, 0x2020, 18);
        "Xen\0"u8.CopyTo(image.AsSpan(0x2024));
        Put64(image, 0x2028, entry);
        return image;
    }

    /// <summary>A sound bzImage: 4 setup sectors, 0x1000 bytes of code of 0xB2, 16 MiB preferred, 2 MiB to unpack.</summary>
    public static byte[] BzImage()
    {
        const int SetupSectors = 4;
        byte[] image = new byte[((SetupSectors + 1) * 512) + 0x1000];
        image.AsSpan((SetupSectors + 1) * 512).Fill(0xB2);
        "MZ"u8.CopyTo(image);
        image[BootParams.SetupSects] = SetupSectors;
        Put32(image, BootParams.Syssize, 0x1000 / 16);
        Put16(image, BootParams.BootFlag, 0xAA55);
        image[BootParams.Jump] = 0xEB;
        image[BootParams.Jump + 1] = 0x6A; // the header ends at 0x26C
        "HdrS"u8.CopyTo(image.AsSpan(BootParams.HeaderMagic));
        Put16(image, BootParams.Version, 0x020F);
        image[BootParams.Loadflags] = BootParams.LoadedHigh;
        Put32(image, BootParams.InitrdAddrMax, 0x7FFF_FFFF);
        Put32(image, BootParams.KernelAlignment, 0x20_0000);
        Put16(image, BootParams.Xloadflags, BootParams.XlfKernel64);
        Put32(image, BootParams.CmdlineSize, 100);
        Put64(image, BootParams.PrefAddress, 0x100_0000);
        Put32(image, BootParams.InitSize, 0x20_0000);
        return image;
    }

    public static void Put16(byte[] image, int offset, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(offset), value);

    public static void Put32(byte[] image, int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(offset), value);

    public static void Put64(byte[] image, int offset, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(offset), value);
}
