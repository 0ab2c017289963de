using System.Runtime.InteropServices;
using Sandbox.Linux;

namespace Sandbox.Fuzz.Devices;

/// <summary>A socket that takes as little as the kernel allows: full after a few messages that nobody reads.</summary>
internal static class SmallBuffer
{
    private const int SocketLevel = 1; // SOL_SOCKET
    private const int SendBuffer = 7; // SO_SNDBUF

    /// <exception cref="LinuxException">It is no socket.</exception>
    public static void Set(FdHandle socket)
    {
        int bytes = 1; // less than the least, which it becomes
        if (setsockopt(socket.Number, SocketLevel, SendBuffer, ref bytes, sizeof(int)) != 0)
        {
            throw new LinuxException("setsockopt SO_SNDBUF", (Errno)Marshal.GetLastPInvokeError());
        }
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int setsockopt(int socket, int level, int name, ref int value, int length);
}
