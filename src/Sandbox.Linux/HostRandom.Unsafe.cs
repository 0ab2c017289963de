using Sandbox.Linux.Abi;
using static Sandbox.Linux.Abi.Glibc;
using static Tmds.Linux.LibC;

namespace Sandbox.Linux;

/// <summary>
/// getrandom(2). The runtime's own generator loads OpenSSL by dlopen, which brings a second C library into a static exe and
/// corrupts both.
/// </summary>
public static unsafe class HostRandom
{
    /// <summary>Random bytes from the kernel's pool; waits only on a host that has just been switched on.</summary>
    public static byte[] Bytes(int count)
    {
        byte[] bytes = new byte[count];
        int done = 0;
        // SAFETY: the kernel writes at most the rest of the pinned array.
        fixed (byte* pointer = bytes)
        {
            while (done < count)
            {
                nint got = SystemCall(SystemCalls.SYS_getrandom, (nint)(pointer + done), count - done, 0, 0, 0, 0);
                if (got < 0 && errno != EINTR)
                {
                    throw new LinuxException("getrandom", (Errno)errno);
                }

                done += Math.Max(0, (int)got);
            }
        }

        return bytes;
    }
}
