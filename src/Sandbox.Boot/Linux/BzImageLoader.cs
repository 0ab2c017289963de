using System.Buffers.Binary;
using Sandbox.Memory;

namespace Sandbox.Boot.Linux;

/// <summary>Loads a bzImage for its 64-bit entry (Linux boot protocol 2.12 and later: Documentation/arch/x86/boot.rst).</summary>
internal static class BzImageLoader
{
    private const int SectorBytes = 512;
    private const ushort MinVersion = 0x020C;
    private const ulong Entry64Offset = 0x200;

    // Up to the last field that is read here. Newer headers are longer; their bytes are copied, not looked at.
    private const int MinHeaderEnd = BootParams.InitSize + sizeof(uint);

    public static KernelFault Load(IBootFile kernel, in BootMachine machine, GuestMemory memory, out LoadedKernel loaded)
    {
        loaded = default;
        Span<byte> page = stackalloc byte[BootParams.SetupHeaderStart + SetupHeader.MaxBytes];
        if (kernel.LengthBytes < (ulong)page.Length)
        {
            return KernelFault.Truncated;
        }

        if (!kernel.TryRead(0, page))
        {
            return KernelFault.Unreadable;
        }

        KernelFault fault = CheckHeader(page, out int headerEnd);
        if (fault != KernelFault.None)
        {
            return fault;
        }

        // "If setup_sects is 0, the real value is 4"; the boot sector comes before the setup sectors.
        int setupSectors = page[BootParams.SetupSects] == 0 ? 4 : page[BootParams.SetupSects];
        ulong codeOffset = (ulong)(setupSectors + 1) * SectorBytes;
        ulong codeBytes = (ulong)Field32(page, BootParams.Syssize) * 16;
        if (codeOffset > kernel.LengthBytes || codeBytes > kernel.LengthBytes - codeOffset)
        {
            return KernelFault.Truncated;
        }

        ulong start = BinaryPrimitives.ReadUInt64LittleEndian(page[BootParams.PrefAddress..]);
        ulong initBytes = Field32(page, BootParams.InitSize);
        if (codeBytes <= Entry64Offset || codeBytes > initBytes || start < GuestLayout.KernelMemoryStart)
        {
            return KernelFault.BadSetupHeader;
        }

        // The kernel unpacks itself where it was loaded: init_size is all the memory it touches before it reads the memory map.
        ulong lowBytes = GuestLayout.LowMemoryBytes(machine.MemoryBytes);
        if (start > lowBytes || initBytes > lowBytes - start
            || !memory.TryGetSlice(new GuestAddress(start), (uint)codeBytes, out GuestSlice code))
        {
            return KernelFault.NotEnoughMemory;
        }

        if (!kernel.TryCopyTo(codeOffset, code))
        {
            return KernelFault.Unreadable;
        }

        SetupHeader header = default;
        page[BootParams.SetupHeaderStart..headerEnd].CopyTo(header);
        loaded = new LoadedKernel(
            BootEntry.Linux64,
            new GuestAddress(start + Entry64Offset),
            new Extent(start, initBytes),
            (int)Math.Min(Field32(page, BootParams.CmdlineSize), GuestLayout.MaxCommandLineBytes),
            Field32(page, BootParams.InitrdAddrMax) + 1UL,
            header);
        return KernelFault.None;
    }

    private static KernelFault CheckHeader(ReadOnlySpan<byte> page, out int headerEnd)
    {
        // "The end of setup header can be calculated as follows: 0x0202 + byte value at offset 0x0201".
        headerEnd = BootParams.HeaderMagic + page[BootParams.Jump + 1];
        if (BinaryPrimitives.ReadUInt16LittleEndian(page[BootParams.Version..]) < MinVersion)
        {
            return KernelFault.BootProtocolTooOld;
        }

        if (headerEnd < MinHeaderEnd || headerEnd > page.Length)
        {
            return KernelFault.BadSetupHeader;
        }

        bool has64BitEntry = (BinaryPrimitives.ReadUInt16LittleEndian(page[BootParams.Xloadflags..]) & BootParams.XlfKernel64) != 0;
        bool loadedHigh = (page[BootParams.Loadflags] & BootParams.LoadedHigh) != 0;
        return has64BitEntry && loadedHigh ? KernelFault.None : KernelFault.No64BitEntry;
    }

    private static uint Field32(ReadOnlySpan<byte> page, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(page[offset..]);
}
