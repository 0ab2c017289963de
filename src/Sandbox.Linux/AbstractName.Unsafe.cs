using System.Text;
using static Sandbox.Linux.Abi.Glibc;
using static Sandbox.Linux.Abi.SystemCalls;
using static Tmds.Linux.LibC;

namespace Sandbox.Linux;

/// <summary>
/// A name that at most one process of a network namespace holds, until it closes the fd or ends, however it ends: an abstract
/// AF_UNIX address (unix(7)). Nothing of it is in any file system. Nobody can connect to it: the socket does not listen.
/// </summary>
public static unsafe class AbstractName
{
    /// <summary>sun_path without its leading \0.</summary>
    public const int MaxBytes = 107;

    private const int FamilyBytes = 2;

    /// <summary>Null when somebody holds it.</summary>
    /// <exception cref="LinuxException">The kernel refused for another reason.</exception>
    public static FdHandle? TryHold(string name)
    {
        int length = Encoding.UTF8.GetByteCount(name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, MaxBytes, nameof(name));
        byte* address = stackalloc byte[FamilyBytes + 1 + MaxBytes]; // sockaddr_un: family, \0, name
        *(ushort*)address = (ushort)AF_UNIX;
        address[FamilyBytes] = 0;
        Encoding.UTF8.GetBytes(name, new Span<byte>(address + FamilyBytes + 1, MaxBytes));
        FdHandle socket = new((int)SystemCall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, 0, 0, 0));
        if (socket.IsInvalid)
        {
            throw new LinuxException("socket AF_UNIX", (Errno)errno);
        }

        // SAFETY: the address is FamilyBytes + 1 + length bytes, all written above; the kernel only reads it.
        if (SystemCall(SYS_bind, socket.Number, (nint)address, FamilyBytes + 1 + length, 0, 0, 0) == 0)
        {
            return socket;
        }

        Errno error = (Errno)errno;
        socket.Dispose();
        return error == Errno.EADDRINUSE ? null : throw new LinuxException($"bind @{name}", error);
    }
}
