using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Sandbox.Linux;

/// <summary>pipe2(2).</summary>
public static unsafe class Pipe
{
    /// <summary>A close-on-exec pipe; both ends block.</summary>
    public static (FdHandle Reader, FdHandle Writer) Create()
    {
        int* pair = stackalloc int[2];
        // SAFETY: the kernel writes two ints.
        return pipe2(pair, O_CLOEXEC) == 0
            ? (new FdHandle(pair[0]), new FdHandle(pair[1]))
            : throw new LinuxException("pipe2", (Errno)errno);
    }
}
