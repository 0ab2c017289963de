using System.Buffers.Binary;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Sandbox.Linux;

/// <summary>
/// A pair of AF_UNIX sockets for whole messages, whose receiver is told by the kernel which process sent each (unix(7), SO_PASSCRED): the
/// number is right in the receiver's own PID namespace, wherever the sender lives, and the sender cannot make it up without a capability.
/// </summary>
public static unsafe class CredentialSocket
{
    private const int SequencedPackets = 5; // SOCK_SEQPACKET
    private const int PassCredentials = 16; // SO_PASSCRED
    private const int Credentials = 2; // SCM_CREDENTIALS
    private const int HeaderBytes = 16; // struct cmsghdr on x86-64: length, level, type
    private const int CredentialBytes = 12; // struct ucred: pid, uid, gid
    private const int ControlBytes = 32; // header and credentials, aligned to 8

    /// <summary>Both close-on-exec and blocking. Writing needs no more than write(2).</summary>
    public static (FdHandle Receiver, FdHandle Sender) CreatePair()
    {
        int* pair = stackalloc int[2];
        // SAFETY: the kernel writes two ints.
        if (socketpair(AF_UNIX, SequencedPackets | SOCK_CLOEXEC, 0, pair) != 0)
        {
            throw new LinuxException("socketpair", (Errno)errno);
        }

        FdHandle receiver = new(pair[0]);
        FdHandle sender = new(pair[1]);
        int on = 1;
        // SAFETY: the kernel reads one int.
        if (setsockopt(receiver.Number, SOL_SOCKET, PassCredentials, &on, sizeof(int)) != 0)
        {
            Errno error = (Errno)errno;
            receiver.Dispose();
            sender.Dispose();
            throw new LinuxException("setsockopt SO_PASSCRED", error);
        }

        return (receiver, sender);
    }

    /// <summary>Blocks for one message. Its length, 0 when every sender is gone, or the negated error number; a longer message is cut.</summary>
    /// <param name="socket">The receiver of a pair.</param>
    /// <param name="message">Where it goes.</param>
    /// <param name="sender">The number of the process that sent it, 0 where this process cannot see it.</param>
    public static int Receive(int socket, Span<byte> message, out int sender)
    {
        sender = 0;
        Span<byte> control = stackalloc byte[ControlBytes];
        // SAFETY: both buffers are pinned and the kernel is told their true sizes.
        fixed (byte* pointer = message, controlPointer = control)
        {
            iovec vector = default;
            vector.iov_base = pointer;
            vector.iov_len = message.Length;
            msghdr header = default;
            header.msg_iov = &vector;
            header.msg_iovlen = 1;
            ssize_t count;
            do
            {
                header.msg_control = controlPointer;
                header.msg_controllen = ControlBytes;
                count = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
            }
            while (count < 0 && errno == EINTR);

            if (count < 0)
            {
                return -errno;
            }

            bool told = (ulong)header.msg_controllen >= HeaderBytes + CredentialBytes
                && BinaryPrimitives.ReadInt32LittleEndian(control[8..]) == SOL_SOCKET
                && BinaryPrimitives.ReadInt32LittleEndian(control[12..]) == Credentials;
            sender = told ? BinaryPrimitives.ReadInt32LittleEndian(control[HeaderBytes..]) : 0;
            return (int)count;
        }
    }
}
