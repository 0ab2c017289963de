using System.Runtime.InteropServices;
using Sandbox.Linux;

namespace Sandbox.Fuzz.Devices;

/// <summary>A connected pair whose first end takes few bytes before its peer reads: what it does not take stays with the device.</summary>
internal static class SmallSocket
{
    private const int SocketLevel = 1; // SOL_SOCKET
    private const int SendBuffer = 7; // SO_SNDBUF

    /// <exception cref="LinuxException">There is no fd left.</exception>
    public static (FdHandle Small, FdHandle Peer) CreatePair()
    {
        (FdHandle small, FdHandle peer) = UnixSocket.CreatePair();
        int least = 1; // the kernel makes its own least of it
        _ = setsockopt(small.Number, SocketLevel, SendBuffer, ref least, sizeof(int));
        _ = FdIo.SetNonBlocking(small.Number, on: true);
        _ = FdIo.SetNonBlocking(peer.Number, on: true);
        return (small, peer);
    }

    [DllImport("libc")]
    private static extern int setsockopt(int socket, int level, int name, ref int value, uint length);
}
