using System.Runtime.InteropServices;
using Sandbox.Linux;

namespace Sandbox.Fuzz.Devices;

/// <summary>Two ends of a socket that keeps packets apart: what stands in for a tap interface, where each read and each write is a frame.</summary>
internal static class PacketPair
{
    private const int LocalFamily = 1; // AF_UNIX
    private const int SequencedPackets = 5; // SOCK_SEQPACKET
    private const int CloseOnExec = 0x80000; // SOCK_CLOEXEC

    /// <exception cref="LinuxException">There is no fd left.</exception>
    public static (FdHandle First, FdHandle Second) Create()
    {
        int[] ends = new int[2];
        return socketpair(LocalFamily, SequencedPackets | CloseOnExec, 0, ends) == 0
            ? (new FdHandle(ends[0]), new FdHandle(ends[1]))
            : throw new LinuxException("socketpair", (Errno)Marshal.GetLastPInvokeError());
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int socketpair(int family, int type, int protocol, int[] ends);
}
