using Sandbox.Memory.Abi;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Sandbox.Memory;

/// <content>Gives memory back to the host.</content>
public readonly unsafe partial struct GuestSlice
{
    /// <summary>x86-64, the only processor here.</summary>
    private const ulong HostPageBytes = 4096;

    /// <summary>
    /// madvise(2) MADV_REMOVE on the host pages that lie wholly inside this slice: a hole in the file behind, so that the memory is the host's again. Whoever
    /// maps it, the guest too, reads zeros there until somebody writes. What is less than a page at either end stays. 0, or the negated error number.
    /// </summary>
    public int ReturnToHost()
    {
        // Neither sum wraps: both stay below the end of the process's half of the address space, or one page above.
        ulong start = ((ulong)_address + HostPageBytes - 1) & ~(HostPageBytes - 1);
        ulong end = ((ulong)_address + LengthBytes) & ~(HostPageBytes - 1);
        if (start >= end)
        {
            return 0;
        }

        Touched(start, end - start, writes: true);
        // SAFETY: whole pages of the guest's shared mapping, and nothing else's: start and end were rounded inwards. No reference to them exists.
        return madvise((void*)start, (size_t)(end - start), MemoryAdvice.MADV_REMOVE) == 0 ? 0 : -errno;
    }
}
