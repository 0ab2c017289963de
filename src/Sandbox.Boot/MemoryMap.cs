namespace Sandbox.Boot;

/// <summary>One entry of the memory map that a kernel is given. The type numbers are those of e820 and of the PVH memory map alike.</summary>
internal readonly record struct MemoryMapEntry(ulong Start, ulong LengthBytes, uint Kind)
{
    public const uint Ram = 1;
    public const uint Reserved = 2;
}

/// <summary>The guest's RAM as a kernel shall see it.</summary>
internal static class MemoryMap
{
    public const int MaxEntries = 4;

    /// <summary>Fills in the entries; how many there are.</summary>
    public static int Describe(ulong memoryBytes, Span<MemoryMapEntry> entries)
    {
        int count = 0;
        entries[count++] = new MemoryMapEntry(0, GuestLayout.ReservedStart, MemoryMapEntry.Ram);
        entries[count++] = new MemoryMapEntry(
            GuestLayout.ReservedStart, GuestLayout.KernelMemoryStart - GuestLayout.ReservedStart, MemoryMapEntry.Reserved);
        entries[count++] = new MemoryMapEntry(
            GuestLayout.KernelMemoryStart, GuestLayout.LowMemoryBytes(memoryBytes) - GuestLayout.KernelMemoryStart, MemoryMapEntry.Ram);
        ulong highBytes = GuestLayout.HighMemoryBytes(memoryBytes);
        if (highBytes != 0)
        {
            entries[count++] = new MemoryMapEntry(GuestLayout.HighMemoryStart, highBytes, MemoryMapEntry.Ram);
        }

        return count;
    }
}
