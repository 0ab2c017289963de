using Sandbox.Memory;

namespace Sandbox.Boot;

/// <summary>Puts the initial RAM disk as high as the kernel allows, so that the kernel below it has room.</summary>
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
        if (length > limit)
        {
            return KernelFault.InitrdTooLarge;
        }

        ulong start = (limit - length) & ~PageMask;
        if (start < kernel.Occupied.End || !memory.TryGetSlice(new GuestAddress(start), (uint)length, out GuestSlice slice))
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
}
