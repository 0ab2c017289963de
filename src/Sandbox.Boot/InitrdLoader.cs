using Sandbox.Memory;

namespace Sandbox.Boot;

/// <summary>
/// Puts the initial RAM disk as high as the kernel allows, so that the kernel below it has room; in a guest so small that the kernel fills it to the
/// top, right below the kernel.
/// </summary>
internal static class InitrdLoader
{
    private const ulong PageMask = 4095;

    public static KernelFault Load(IBootFile initrd, in LoadedKernel kernel, in BootMachine machine, GuestMemory memory, out Extent ramDisk)
    {
        ramDisk = default;
        ulong length = initrd.LengthBytes;
        if (length == 0)
        {
            return KernelFault.None;
        }

        ulong limit = Math.Min(kernel.InitrdLimit, GuestLayout.LowMemoryBytes(machine.MemoryBytes));
        if (!TryPlace(length, kernel.Occupied.End, limit, out ulong start)
            && !TryPlace(length, GuestLayout.KernelMemoryStart, Math.Min(kernel.Occupied.Start, limit), out start))
        {
            return KernelFault.InitrdTooLarge;
        }

        if (!memory.TryGetSlice(new GuestAddress(start), (uint)length, out GuestSlice slice))
        {
            return KernelFault.InitrdTooLarge;
        }

        if (!initrd.TryCopyTo(0, slice))
        {
            return KernelFault.InitrdUnreadable;
        }

        ramDisk = new Extent(start, length);
        return KernelFault.None;
    }

    // The highest page between two addresses from which the whole length fits.
    private static bool TryPlace(ulong length, ulong lowest, ulong limit, out ulong start)
    {
        start = length > limit ? 0 : (limit - length) & ~PageMask;
        return length <= limit && start >= lowest;
    }
}
