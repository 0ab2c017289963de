using System.Runtime.InteropServices;
using Tmds.Linux;

namespace Sandbox.Memory.Abi;

/// <summary>The vectored calls that Tmds.LibC lacks (readv(2), getrandom(2)).</summary>
internal static unsafe class VectorCalls
{
    internal const uint GRND_NONBLOCK = 0x1;

    internal const int RWF_NOWAIT = 0x8;

    [DllImport("libc", SetLastError = true)]
    internal static extern nint preadv(int fd, iovec* vector, int count, long offset);

    [DllImport("libc", SetLastError = true)]
    internal static extern nint preadv2(int fd, iovec* vector, int count, long offset, int flags);

    [DllImport("libc", SetLastError = true)]
    internal static extern nint pwritev(int fd, iovec* vector, int count, long offset);

    [DllImport("libc", SetLastError = true)]
    internal static extern nint getrandom(void* buffer, nuint lengthBytes, uint flags);
}
