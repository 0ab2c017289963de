using System.Runtime.InteropServices;

namespace Sandbox.Kvm;

/// <summary>ioctl(2) on the three kinds of KVM fd. Every method returns the kernel's answer, or the negated error number.</summary>
internal static unsafe class KvmCalls
{
    /// <summary>With a plain number, or none, as argument.</summary>
    public static int Call(int fd, uint request, nuint argument = 0)
    {
        int result = ioctl(fd, request, argument);
        return result >= 0 ? result : -*__errno_location();
    }

    /// <summary>With a struct that the kernel reads or fills during the call.</summary>
    public static int Call<T>(int fd, uint request, ref T argument)
        where T : unmanaged
    {
        // SAFETY: pinned for the call; T is the struct that the request's number carries the size of (checked in tests/Abi).
        fixed (T* pointer = &argument)
        {
            return Call(fd, request, (nuint)pointer);
        }
    }

    /// <summary>With a buffer: a head that says how many entries follow, and the entries.</summary>
    public static int Call(int fd, uint request, Span<byte> buffer)
    {
        // SAFETY: pinned for the call; the caller wrote a count into the head that the buffer has room for.
        fixed (byte* pointer = buffer)
        {
            return Call(fd, request, (nuint)pointer);
        }
    }

    // A plain P/Invoke on purpose: KVM_RUN stays in the kernel for as long as the guest computes, and a call without the
    // transition would hold up every garbage collection for that time.
    [DllImport("libc", EntryPoint = "ioctl", ExactSpelling = true)]
    private static extern int ioctl(int fd, nuint request, nuint argument);

    // The runtime keeps errno across the transition back into managed code.
    [DllImport("libc", ExactSpelling = true)]
    [SuppressGCTransition]
    private static extern int* __errno_location();
}
