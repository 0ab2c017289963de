using System.Buffers.Binary;
using Sandbox.Memory;

namespace Sandbox.Boot.Linux;

/// <summary>Writes the zero page: the setup header of the kernel (or a minimal one for ELF) with the loader's fields filled in, and the memory map.</summary>
internal static class ZeroPage
{
    public static void Write(
        GuestMemory memory, SetupHeader kernelHeader, in BootMachine machine, Extent ramDisk, int commandLineBytes, GuestAddress rsdp)
    {
        // "The loader must zero the whole struct boot_params", the sentinel with it: the kernel tells by it that the rest is meant.
        Span<byte> page = stackalloc byte[BootParams.SizeBytes];
        page.Clear();
        ReadOnlySpan<byte> header = kernelHeader;
        header.CopyTo(page[BootParams.SetupHeaderStart..]);
        if (page[BootParams.HeaderMagic] == 0)
        {
            DescribeElfKernel(page, commandLineBytes);
        }

        page[BootParams.TypeOfLoader] = BootParams.UndefinedLoader;
        page[BootParams.Loadflags] |= BootParams.LoadedHigh;
        BinaryPrimitives.WriteUInt64LittleEndian(page[BootParams.AcpiRsdpAddr..], rsdp.Value);
        Put32(page, BootParams.CmdLinePtr, (uint)GuestLayout.CommandLine.Value);
        Put32(page, BootParams.ExtCmdLinePtr, 0); // the command line lies below 4 GiB
        Put32(page, BootParams.RamdiskImage, (uint)ramDisk.Start);
        Put32(page, BootParams.RamdiskSize, (uint)ramDisk.LengthBytes);
        Put32(page, BootParams.ExtRamdiskImage, 0);
        Put32(page, BootParams.ExtRamdiskSize, 0);
        WriteMemoryMap(page, machine.MemoryBytes);
        GuestTables.Write(memory, GuestLayout.ZeroPage, page);
    }

    private static void DescribeElfKernel(Span<byte> page, int commandLineBytes)
    {
        const ushort Protocol = 0x020F;
        BinaryPrimitives.WriteUInt16LittleEndian(page[BootParams.BootFlag..], 0xAA55);
        "HdrS"u8.CopyTo(page[BootParams.HeaderMagic..]);
        BinaryPrimitives.WriteUInt16LittleEndian(page[BootParams.Version..], Protocol);
        Put32(page, BootParams.CmdlineSize, (uint)commandLineBytes);
        Put32(page, BootParams.KernelAlignment, 0x20_0000); // x86-64 kernels move in steps of 2 MiB
    }

    private static void WriteMemoryMap(Span<byte> page, ulong memoryBytes)
    {
        Span<MemoryMapEntry> entries = stackalloc MemoryMapEntry[MemoryMap.MaxEntries];
        int count = MemoryMap.Describe(memoryBytes, entries);
        page[BootParams.E820Entries] = (byte)count;
        for (int index = 0; index < count; index++)
        {
            Span<byte> bytes = page.Slice(BootParams.E820Table + (index * BootParams.E820EntryBytes), BootParams.E820EntryBytes);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, entries[index].Start);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], entries[index].LengthBytes);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[16..], entries[index].Kind);
        }
    }

    private static void Put32(Span<byte> page, int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(page[offset..], value);
}
