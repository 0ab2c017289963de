using System.Buffers.Binary;
using Sandbox.Memory;

namespace Sandbox.Boot.Pvh;

/// <summary>struct hvm_start_info, its module list and memory map (Xen public header arch-x86/hvm/start_info.h, version 1).</summary>
internal static class PvhStartInfo
{
    private const uint Magic = 0x336E_C578;
    private const uint VersionWithMemoryMap = 1;
    private const int StartInfoBytes = 56;
    private const int ModuleBytes = 32;
    private const int MapEntryBytes = 24;

    public static void Write(GuestMemory memory, in BootMachine machine, Extent ramDisk, GuestAddress rsdp)
    {
        Span<byte> bytes = stackalloc byte[StartInfoBytes + ModuleBytes + (MemoryMap.MaxEntries * MapEntryBytes)];
        bytes.Clear();
        ulong start = GuestLayout.PvhStartInfo.Value;
        bool hasRamDisk = ramDisk.LengthBytes != 0;

        Span<MemoryMapEntry> entries = stackalloc MemoryMapEntry[MemoryMap.MaxEntries];
        int entryCount = MemoryMap.Describe(machine.MemoryBytes, entries);

        Put32(bytes, 0, Magic);
        Put32(bytes, 4, VersionWithMemoryMap);
        Put32(bytes, 12, hasRamDisk ? 1u : 0u);
        Put64(bytes, 16, hasRamDisk ? start + StartInfoBytes : 0);
        Put64(bytes, 24, GuestLayout.CommandLine.Value);
        Put64(bytes, 32, rsdp.Value);
        Put64(bytes, 40, start + StartInfoBytes + ModuleBytes);
        Put32(bytes, 48, (uint)entryCount);

        Put64(bytes, StartInfoBytes, ramDisk.Start);
        Put64(bytes, StartInfoBytes + 8, ramDisk.LengthBytes);

        for (int index = 0; index < entryCount; index++)
        {
            int offset = StartInfoBytes + ModuleBytes + (index * MapEntryBytes);
            Put64(bytes, offset, entries[index].Start);
            Put64(bytes, offset + 8, entries[index].LengthBytes);
            Put32(bytes, offset + 16, entries[index].Kind);
        }

        GuestTables.Write(memory, GuestLayout.PvhStartInfo, bytes);
    }

    private static void Put32(Span<byte> bytes, int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(bytes[offset..], value);

    private static void Put64(Span<byte> bytes, int offset, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(bytes[offset..], value);
}
