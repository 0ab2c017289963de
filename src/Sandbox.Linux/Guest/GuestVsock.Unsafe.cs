using System.Buffers.Binary;

namespace Sandbox.Linux.Guest;

/// <summary>The guest's way to its host (vsock(7)).</summary>
public static unsafe class GuestVsock
{
    /// <summary>VMADDR_CID_HOST.</summary>
    public const uint HostCid = 2;

    private const int Family = 40; // AF_VSOCK
    private const int StreamCloseOnExec = 1 | 0x80000; // SOCK_STREAM | SOCK_CLOEXEC

    /// <summary>Connects a blocking stream: its fd, or the negated error number (ENODEV or EAFNOSUPPORT: no device yet; ECONNRESET: nobody listens).</summary>
    public static int Connect(uint cid, uint port)
    {
        int fd = GuestLibc.Result(GuestLibc.socket(Family, StreamCloseOnExec, 0));
        if (fd < 0)
        {
            return fd;
        }

        // struct sockaddr_vm: u16 family, u16 zero, u32 port, u32 cid, 4 bytes zero.
        Span<byte> address = stackalloc byte[16];
        address.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(address, Family);
        BinaryPrimitives.WriteUInt32LittleEndian(address[4..], port);
        BinaryPrimitives.WriteUInt32LittleEndian(address[8..], cid);
        fixed (byte* pointer = address) // SAFETY: 16 bytes, the size of struct sockaddr_vm.
        {
            int result = GuestLibc.Result(GuestLibc.connect(fd, pointer, (uint)address.Length));
            if (result < 0)
            {
                _ = FdIo.Close(fd);
                return result;
            }
        }

        return fd;
    }
}
