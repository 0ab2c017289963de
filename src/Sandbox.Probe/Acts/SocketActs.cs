using Sandbox.Control;
using Sandbox.Control.Proof;
using Sandbox.Linux.PreRuntime;
using static Sandbox.Linux.Abi.ProbeCalls;
using static Sandbox.Linux.Abi.ProbeConstants;
using static Sandbox.Linux.PreRuntime.RawCall;

namespace Sandbox.Probe.Acts;

/// <summary>Every way to talk to somebody whom the launcher did not introduce.</summary>
internal static class SocketActs
{
    private const int AddressBytes = 110; // struct sockaddr_un
    private const uint Loopback = 0x0100007F; // 127.0.0.1 in network order

    internal static nint Make(int family, int type) => Call(SYS_socket, family, type, 0);

    internal static nint MakePair() => Call(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, RawScratch.Reserve(2 * sizeof(int)));

    /// <param name="order">The path.</param>
    /// <param name="isAbstract">A name of the network namespace instead of a file.</param>
    internal static nint ConnectToUnix(ProbeOrderView order, bool isAbstract)
    {
        Span<byte> address = stackalloc byte[AddressBytes];
        address.Clear();
        address[0] = AF_UNIX;
        int start = sizeof(ushort) + (isAbstract ? 1 : 0);
        order.SocketPath.CopyTo(address[start..]);
        // An abstract name is as long as it is said to be; a path ends with its zero.
        return Connect(AF_UNIX, address[..(start + order.SocketPath.Length + (isAbstract ? 0 : 1))]);
    }

    internal static nint ConnectToLoopback(ProbeOrderView order)
    {
        Span<byte> address = stackalloc byte[16]; // struct sockaddr_in
        address.Clear();
        address[0] = AF_INET;
        address[2] = (byte)(order.Port >> 8);
        address[3] = (byte)(order.Port & 0xFF);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(address[4..], Loopback);
        return Connect(AF_INET, address);
    }

    /// <summary>An abstract name of the kernel's choice for a socket that we were given.</summary>
    internal static nint BindInherited()
    {
        Span<byte> address = stackalloc byte[sizeof(ushort)];
        address[0] = AF_UNIX;
        address[1] = 0;
        return Call(SYS_bind, InheritedFds.Control, RawScratch.Put(address), address.Length);
    }

    /// <summary>Process, user and group at the other end.</summary>
    internal static nint AskPeerIdentity() =>
        Call(SYS_getsockopt, InheritedFds.Control, SOL_SOCKET, SO_PEERCRED, RawScratch.Reserve(12), RawScratch.Put32([12]));

    private static nint Connect(int family, ReadOnlySpan<byte> address)
    {
        nint socket = Make(family, SOCK_STREAM);
        return socket < 0 ? socket : Call(SYS_connect, socket, RawScratch.Put(address), address.Length);
    }
}
