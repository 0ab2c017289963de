using System.Buffers.Binary;
using static Sandbox.Linux.Abi.Glibc;
using static Sandbox.Linux.Abi.ProbeCalls;
using static Tmds.Linux.LibC;

namespace Sandbox.Linux.Baits;

/// <summary>A stream socket that listens and never answers: for a probe that must not be able to connect to it.</summary>
public static unsafe class BaitSocket
{
    private const int Waiting = 4096; // a connection that nobody takes counts until the listener closes

    /// <summary>At a path, which must be free, or at an abstract name, which leaves nothing on disk.</summary>
    /// <exception cref="LinuxException">It cannot listen there.</exception>
    public static FdHandle ListenAt(string path, bool isAbstract)
    {
        byte[] address = new byte[sizeof(ushort) + 1 + path.Length];
        address[0] = (byte)AF_UNIX;
        _ = System.Text.Encoding.ASCII.GetBytes(path, address.AsSpan(sizeof(ushort) + (isAbstract ? 1 : 0)));
        return Listen(AF_UNIX, address);
    }

    /// <summary>On 127.0.0.1, at a port of the kernel's choice.</summary>
    /// <exception cref="LinuxException">It cannot listen there.</exception>
    public static FdHandle ListenOnLoopback(out ushort port)
    {
        FdHandle socket = Listen(AF_INET, [(byte)AF_INET, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
        byte* address = stackalloc byte[16]; // struct sockaddr_in
        int length = 16;
        // SAFETY: the kernel writes at most length bytes, and then the length.
        if (SystemCall(SYS_getsockname, socket.Number, (nint)address, (nint)(&length), 0, 0, 0) != 0)
        {
            Errno error = (Errno)errno;
            socket.Dispose();
            throw new LinuxException("getsockname", error);
        }

        port = BinaryPrimitives.ReadUInt16BigEndian(new ReadOnlySpan<byte>(address + sizeof(ushort), sizeof(ushort)));
        return socket;
    }

    private static FdHandle Listen(int family, ReadOnlySpan<byte> address)
    {
        int number = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (number < 0)
        {
            throw new LinuxException("socket", (Errno)errno);
        }

        // SAFETY: a whole socket address of that length; the kernel copies it.
        fixed (byte* pointer = address)
        {
            if (SystemCall(SYS_bind, number, (nint)pointer, address.Length, 0, 0, 0) == 0 && listen(number, Waiting) == 0)
            {
                return new FdHandle(number);
            }
        }

        Errno failure = (Errno)errno;
        _ = close(number);
        throw new LinuxException("bind and listen", failure);
    }
}
