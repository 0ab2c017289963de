using System.Buffers.Binary;
using System.Text;

namespace Sandbox.Linux.Guest;

/// <summary>Network interfaces of the guest (netdevice(7)). Every method returns 0 or the negated error number.</summary>
public static unsafe class GuestInterface
{
    private const nuint AddRoute = 0x890B; // SIOCADDRT, linux/sockios.h
    private const nuint GetFlags = 0x8913; // SIOCGIFFLAGS
    private const nuint SetFlags = 0x8914; // SIOCSIFFLAGS
    private const nuint SetInterfaceAddress = 0x8916; // SIOCSIFADDR
    private const nuint SetNetworkMask = 0x891C; // SIOCSIFNETMASK
    private const ushort InternetFamily = 2; // AF_INET
    private const int DatagramCloseOnExec = 2 | 0x80000; // SOCK_DGRAM | SOCK_CLOEXEC
    private const int RequestBytes = 40; // struct ifreq: 16 bytes of name, then a union of 24
    private const int RouteBytes = 120; // struct rtentry, linux/route.h
    private const ushort InterfaceUp = 1; // IFF_UP
    private const ushort RouteUpByGateway = 1 | 2; // RTF_UP | RTF_GATEWAY

    /// <summary>Sets IFF_UP and leaves the other flags. The kernel gives "lo" its addresses by itself then.</summary>
    public static int BringUp(string name)
    {
        Span<byte> request = stackalloc byte[RequestBytes];
        Name(request, name);
        int result = Call(GetFlags, request);
        if (result < 0)
        {
            return result;
        }

        BinaryPrimitives.WriteUInt16LittleEndian(request[16..], (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(request[16..]) | InterfaceUp));
        return Call(SetFlags, request);
    }

    /// <summary>Sets the IPv4 address and the mask of its network, the first byte highest.</summary>
    public static int SetAddress(string name, uint address, uint mask)
    {
        Span<byte> request = stackalloc byte[RequestBytes];
        Name(request, name);
        SocketAddress(request[16..], address);
        int result = Call(SetInterfaceAddress, request);
        if (result < 0)
        {
            return result;
        }

        SocketAddress(request[16..], mask);
        return Call(SetNetworkMask, request);
    }

    /// <summary>Everything that no other route leads to goes to this router.</summary>
    public static int AddDefaultRoute(uint gateway)
    {
        Span<byte> route = stackalloc byte[RouteBytes];
        route.Clear();
        SocketAddress(route[8..], 0); // rt_dst
        SocketAddress(route[24..], gateway); // rt_gateway
        SocketAddress(route[40..], 0); // rt_genmask
        BinaryPrimitives.WriteUInt16LittleEndian(route[56..], RouteUpByGateway); // rt_flags
        return Call(AddRoute, route);
    }

    private static void Name(Span<byte> request, string name)
    {
        request.Clear();
        _ = Encoding.ASCII.GetBytes(name, request[..15]);
    }

    // struct sockaddr_in: family, port, address in network order.
    private static void SocketAddress(Span<byte> target, uint address)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(target, InternetFamily);
        BinaryPrimitives.WriteUInt32BigEndian(target[4..], address);
    }

    private static int Call(nuint request, Span<byte> argument)
    {
        int fd = GuestLibc.Result(GuestLibc.socket(InternetFamily, DatagramCloseOnExec, 0));
        if (fd < 0)
        {
            return fd;
        }

        using FdHandle socket = new(fd);
        fixed (byte* pointer = argument) // SAFETY: as long as the struct that the request takes.
        {
            return GuestLibc.Result(GuestLibc.ioctl(fd, request, pointer));
        }
    }
}
