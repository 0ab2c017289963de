using System.Text;
using Sandbox.Linux.Abi;
using static Tmds.Linux.LibC;

namespace Sandbox.Linux;

/// <summary>Tap interfaces (Documentation/networking/tuntap.rst). Launcher only: the fd is all that a device process gets.</summary>
public static unsafe class TapDevice
{
    /// <summary>Interface names have at most this many bytes (IFNAMSIZ without its zero).</summary>
    public const int MaxNameBytes = 15;

    /// <summary>The character device that the fds come from.</summary>
    public const string Path = "/dev/net/tun";

    private const int InterfaceRequestBytes = 40; // struct ifreq
    private const int VirtioHeaderBytes = 12; // struct virtio_net_hdr_v1

    /// <summary>
    /// Attaches to an existing tap interface, or makes one where this process may. A frame has a virtio header of 12 bytes in front; checksums
    /// and TCP segmentation are left to the reader, which is a guest.
    /// </summary>
    /// <exception cref="LinuxException">The interface cannot be used: the operation says which step.</exception>
    public static FdHandle Attach(string name)
    {
        FdHandle tap = FileOpen.ReadWrite(Path);
        try
        {
            byte[] request = new byte[InterfaceRequestBytes];
            int length = Encoding.ASCII.GetBytes(name, request);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(length, MaxNameBytes);
            BitConverter.TryWriteBytes(request.AsSpan(16), (short)(Constants.IFF_TAP | Constants.IFF_NO_PI | Constants.IFF_VNET_HDR));
            fixed (byte* pointer = request) // SAFETY: 40 bytes, the size of struct ifreq on x86-64.
            {
                Check(ioctl(tap.Number, Constants.TUNSETIFF, pointer), $"attach to tap interface {name}");
            }

            int headerBytes = VirtioHeaderBytes;
            // SAFETY: a local int, read during the call.
            Check(ioctl(tap.Number, Constants.TUNSETVNETHDRSZ, &headerBytes), $"set the header of tap interface {name}");
            const nint Offloads = Constants.TUN_F_CSUM | Constants.TUN_F_TSO4 | Constants.TUN_F_TSO6 | Constants.TUN_F_TSO_ECN;
            Check(ioctl(tap.Number, Constants.TUNSETOFFLOAD, (void*)Offloads), $"set the offloads of tap interface {name}"); // SAFETY: a number, not a pointer.
            return tap;
        }
        catch
        {
            tap.Dispose();
            throw;
        }
    }

    /// <summary>The MTU of an interface (SIOCGIFMTU); or the negated error number.</summary>
    public static int MtuOf(string name)
    {
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
        {
            return -errno;
        }

        using FdHandle handle = new(fd);
        byte[] request = new byte[InterfaceRequestBytes];
        _ = Encoding.ASCII.GetBytes(name, request);
        fixed (byte* pointer = request) // SAFETY: 40 bytes, the size of struct ifreq on x86-64.
        {
            return ioctl(fd, Constants.SIOCGIFMTU, pointer) == 0 ? BitConverter.ToInt32(request, 16) : -errno;
        }
    }

    private static void Check(int result, string operation)
    {
        if (result < 0)
        {
            throw new LinuxException(operation, (Errno)errno);
        }
    }
}
