namespace Sandbox.Boot.Elf;

/// <summary>The checks on an ELF file's loadable segments, all done before the first byte is copied.</summary>
internal static class ElfSegments
{
    public static KernelFault Check(ReadOnlySpan<ProgramHeader> headers, ulong fileBytes, ulong lowMemoryBytes, out Extent occupied)
    {
        occupied = default;
        ulong first = ulong.MaxValue;
        ulong end = 0;
        for (int index = 0; index < headers.Length; index++)
        {
            ProgramHeader segment = headers[index];
            if (!IsLoaded(segment))
            {
                continue;
            }

            KernelFault fault = CheckOne(segment, fileBytes, lowMemoryBytes);
            if (fault != KernelFault.None)
            {
                return fault;
            }

            if (OverlapsAny(segment, headers[..index]))
            {
                return KernelFault.ElfSegmentsOverlap;
            }

            first = Math.Min(first, segment.PhysicalAddress);
            end = Math.Max(end, segment.PhysicalAddress + segment.MemoryBytes);
        }

        if (end == 0)
        {
            return KernelFault.ElfNoSegments;
        }

        occupied = new Extent(first, end - first);
        return KernelFault.None;
    }

    /// <summary>Whether an address lies in bytes that came from the file.</summary>
    public static bool Contain(ReadOnlySpan<ProgramHeader> headers, ulong address)
    {
        foreach (ref readonly ProgramHeader segment in headers)
        {
            if (IsLoaded(segment) && address >= segment.PhysicalAddress && address - segment.PhysicalAddress < segment.FileBytes)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether the segment takes part at all. One without memory but with file bytes does: it is to be refused, not passed over.</summary>
    public static bool IsLoaded(in ProgramHeader segment) => segment.Kind == ProgramHeader.Load && (segment.MemoryBytes | segment.FileBytes) != 0;

    private static KernelFault CheckOne(in ProgramHeader segment, ulong fileBytes, ulong lowMemoryBytes)
    {
        if (segment.FileBytes > segment.MemoryBytes)
        {
            return KernelFault.ElfBadProgramHeaders;
        }

        if (!segment.IsInsideFile(fileBytes))
        {
            return KernelFault.ElfSegmentBeyondFile;
        }

        if (segment.PhysicalAddress > lowMemoryBytes || segment.MemoryBytes > lowMemoryBytes - segment.PhysicalAddress)
        {
            return KernelFault.ElfSegmentBeyondMemory;
        }

        return segment.PhysicalAddress < GuestLayout.KernelMemoryStart ? KernelFault.ElfSegmentInLowMemory : KernelFault.None;
    }

    // At most 64 headers, so the square is small. Both lie in low memory: the sums cannot wrap.
    private static bool OverlapsAny(in ProgramHeader segment, ReadOnlySpan<ProgramHeader> others)
    {
        foreach (ref readonly ProgramHeader other in others)
        {
            if (IsLoaded(other)
                && segment.PhysicalAddress < other.PhysicalAddress + other.MemoryBytes
                && other.PhysicalAddress < segment.PhysicalAddress + segment.MemoryBytes)
            {
                return true;
            }
        }

        return false;
    }
}
