using Sandbox.Memory;

namespace Sandbox.Boot.Elf;

/// <summary>
/// Loads an ELF vmlinux by its physical addresses. A kernel with a PVH note is entered by it (a documented entry that unpacks nothing and needs
/// no page tables); else by its ELF entry point with the 64-bit boot protocol.
/// </summary>
internal static class ElfLoader
{
    // An ELF kernel tells no limit of its own; the direct map of early boot reaches further than this.
    private const ulong InitrdLimit = 0x8000_0000;

    public static KernelFault Load(IBootFile kernel, in BootMachine machine, GuestMemory memory, out LoadedKernel loaded)
    {
        loaded = default;
        if (kernel.LengthBytes < ElfHeader.SizeBytes)
        {
            return KernelFault.Truncated;
        }

        Span<byte> bytes = stackalloc byte[ElfHeader.SizeBytes];
        if (!kernel.TryRead(0, bytes))
        {
            return KernelFault.Unreadable;
        }

        KernelFault fault = ElfHeader.Read(bytes, out ElfHeader header);
        if (fault != KernelFault.None)
        {
            return fault;
        }

        Span<ProgramHeader> headers = stackalloc ProgramHeader[header.ProgramHeaderCount]; // at most 64, just checked
        fault = ReadProgramHeaders(kernel, header, headers);
        if (fault == KernelFault.None)
        {
            fault = ElfSegments.Check(headers, kernel.LengthBytes, GuestLayout.LowMemoryBytes(machine.MemoryBytes), out Extent occupied);
            return fault == KernelFault.None ? CopyAndEnter(kernel, header, headers, occupied, memory, out loaded) : fault;
        }

        return fault;
    }

    private static KernelFault ReadProgramHeaders(IBootFile kernel, in ElfHeader header, Span<ProgramHeader> headers)
    {
        ulong tableBytes = (ulong)headers.Length * ProgramHeader.SizeBytes;
        if (header.ProgramHeaderOffset > kernel.LengthBytes || tableBytes > kernel.LengthBytes - header.ProgramHeaderOffset)
        {
            return KernelFault.Truncated;
        }

        Span<byte> bytes = stackalloc byte[ProgramHeader.SizeBytes];
        for (int index = 0; index < headers.Length; index++)
        {
            if (!kernel.TryRead(header.ProgramHeaderOffset + ((ulong)index * ProgramHeader.SizeBytes), bytes))
            {
                return KernelFault.Unreadable;
            }

            headers[index] = ProgramHeader.Read(bytes);
        }

        return KernelFault.None;
    }

    private static KernelFault CopyAndEnter(
        IBootFile kernel, in ElfHeader header, ReadOnlySpan<ProgramHeader> headers, Extent occupied, GuestMemory memory, out LoadedKernel loaded)
    {
        loaded = default;
        foreach (ref readonly ProgramHeader segment in headers)
        {
            if (!ElfSegments.IsLoaded(segment) || segment.FileBytes == 0)
            {
                continue;
            }

            // FileBytes fits 32 bits: the segment lies below the hole.
            if (!memory.TryGetSlice(new GuestAddress(segment.PhysicalAddress), (uint)segment.FileBytes, out GuestSlice slice))
            {
                return KernelFault.ElfSegmentBeyondMemory;
            }

            if (!kernel.TryCopyTo(segment.FileOffset, slice))
            {
                return KernelFault.Unreadable;
            }
        }

        bool hasPvh = PvhNote.TryFind(kernel, headers, out ulong pvhEntry);
        ulong entry = hasPvh ? pvhEntry : header.EntryPoint;
        if (!ElfSegments.Contain(headers, entry))
        {
            return KernelFault.ElfEntryOutsideSegments;
        }

        loaded = new LoadedKernel(
            hasPvh ? BootEntry.Pvh : BootEntry.Linux64,
            new GuestAddress(entry),
            occupied,
            GuestLayout.MaxCommandLineBytes,
            InitrdLimit,
            default);
        return KernelFault.None;
    }
}
