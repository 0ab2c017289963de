using System.Runtime.InteropServices;
using Sandbox.Linux;

namespace Sandbox.Fuzz.Devices;

/// <summary>Makes a socket's buffer as small as the kernel allows: few bytes fill it, so that sends are cut and refused.</summary>
internal static class SocketBuffers
{
    private const int SocketLevel = 1; // SOL_SOCKET
    private const int SendBuffer = 7; // SO_SNDBUF

    /// <exception cref="LinuxException">It is no socket.</exception>
    public static void MakeSmall(FdHandle socket)
    {
        int bytes = 1; // the kernel takes its own least value: room for two pages with what it counts beside them
        if (setsockopt(socket.Number, SocketLevel, SendBuffer, ref bytes, sizeof(int)) != 0)
        {
            throw new LinuxException("setsockopt SO_SNDBUF", (Errno)Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>A connected pair whose first end takes few bytes before its peer reads; neither end waits.</summary>
    /// <exception cref="LinuxException">There is no fd left.</exception>
    public static (FdHandle Small, FdHandle Peer) CreateSmallPair()
    {
        (FdHandle small, FdHandle peer) = UnixSocket.CreatePair();
        MakeSmall(small);
        _ = FdIo.SetNonBlocking(small.Number, on: true);
        _ = FdIo.SetNonBlocking(peer.Number, on: true);
        return (small, peer);
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int setsockopt(int socket, int level, int option, ref int value, int valueBytes);
}
