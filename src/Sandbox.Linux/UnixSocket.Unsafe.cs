using System.Runtime.InteropServices;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Sandbox.Linux;

/// <summary>AF_UNIX stream sockets that carry file descriptors (unix(7), cmsg(3)).</summary>
public static unsafe class UnixSocket
{
    /// <summary>The most fds one message may carry: vhost-user needs 8 (VHOST_USER_MAX_RAM_SLOTS of the protocol's first form).</summary>
    public const int MaxFds = 16;

    private const int HeaderSize = 16;

    /// <summary>A connected pair of blocking, close-on-exec stream sockets.</summary>
    public static (FdHandle First, FdHandle Second) CreatePair()
    {
        int* pair = stackalloc int[2];
        // SAFETY: the kernel writes two ints.
        return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0
            ? (new FdHandle(pair[0]), new FdHandle(pair[1]))
            : throw new LinuxException("socketpair", (Errno)errno);
    }

    /// <summary>Connects to a listening stream socket at a path. For the launcher's side: a VMM or device process has no socket(2).</summary>
    /// <exception cref="LinuxException">No such socket, nobody listens, or the path is longer than a socket's address (107 bytes).</exception>
    public static FdHandle Connect(string path)
    {
        int connected = TryConnect(path, SOCK_CLOEXEC);
        return connected >= 0 ? new FdHandle(connected) : throw new LinuxException($"connect {path}", (Errno)(-connected));
    }

    /// <summary>The same without waiting for a program whose backlog is full, and the socket does not block. Null: there is no connection to be had now.</summary>
    /// <param name="path">Of the socket.</param>
    /// <param name="busy">There is none because the program has not accepted others yet: one may be had soon.</param>
    public static FdHandle? TryConnect(string path, out bool busy)
    {
        int connected = TryConnect(path, SOCK_CLOEXEC | SOCK_NONBLOCK);
        busy = connected == -EAGAIN;
        return connected >= 0 ? new FdHandle(connected) : null;
    }

    private static int TryConnect(string path, int flags)
    {
        const int FamilyBytes = 2;
        Span<byte> address = stackalloc byte[FamilyBytes + 108]; // struct sockaddr_un
        address.Clear();
        address[0] = (byte)AF_UNIX;
        if (System.Text.Encoding.UTF8.GetByteCount(path) >= address.Length - FamilyBytes)
        {
            return -ENAMETOOLONG;
        }

        int length = System.Text.Encoding.UTF8.GetBytes(path, address[FamilyBytes..]);
        int fd = socket(AF_UNIX, SOCK_STREAM | flags, 0);
        if (fd < 0)
        {
            return -errno;
        }

        // SAFETY: a pinned address of the length given; the kernel only reads it.
        fixed (byte* pointer = address)
        {
            if (connect(fd, (sockaddr*)pointer, (uint)(FamilyBytes + length + 1)) != 0)
            {
                int error = errno;
                _ = close(fd);
                return -error;
            }
        }

        return fd;
    }

    /// <summary>Sends bytes and fds in one message, without SIGPIPE. The count sent (it can be short; the fds went with the first byte), or the negated error number.</summary>
    public static int Send(int socket, ReadOnlySpan<byte> data, ReadOnlySpan<int> fds)
    {
        if (fds.Length > MaxFds)
        {
            return -EINVAL;
        }

        byte* control = stackalloc byte[HeaderSize + (MaxFds * sizeof(int))];
        // SAFETY: data is pinned; the control buffer holds one cmsghdr (16 bytes on x86-64) and at most MaxFds ints.
        fixed (byte* pointer = data)
        {
            iovec vector = default;
            vector.iov_base = pointer;
            vector.iov_len = data.Length;
            msghdr message = default;
            message.msg_iov = &vector;
            message.msg_iovlen = 1;
            if (!fds.IsEmpty)
            {
                int length = HeaderSize + (fds.Length * sizeof(int));
                *(ulong*)control = (ulong)length;
                *(int*)(control + 8) = SOL_SOCKET;
                *(int*)(control + 12) = ScmRights;
                fds.CopyTo(new Span<int>(control + HeaderSize, fds.Length));
                message.msg_control = control;
                message.msg_controllen = (length + 7) & ~7;
            }

            while (true)
            {
                ssize_t count = sendmsg(socket, &message, MSG_NOSIGNAL);
                if (count >= 0)
                {
                    return (int)count;
                }

                if (errno != EINTR)
                {
                    return -errno;
                }
            }
        }
    }

    /// <summary>
    /// Receives bytes and the fds that came with them. The fds are close-on-exec and owned by the caller. More fds than
    /// <paramref name="fds"/> holds are closed by the kernel and the call returns -EPROTO with none kept. 0 is end of stream.
    /// </summary>
    public static int Receive(int socket, Span<byte> data, Span<int> fds, out int fdCount)
    {
        fdCount = 0;
        int capacity = Math.Min(fds.Length, MaxFds);
        byte* control = stackalloc byte[HeaderSize + (MaxFds * sizeof(int))];
        // SAFETY: data is pinned; msg_controllen tells the kernel the true room.
        fixed (byte* pointer = data)
        {
            iovec vector = default;
            vector.iov_base = pointer;
            vector.iov_len = data.Length;
            msghdr message = default;
            message.msg_iov = &vector;
            message.msg_iovlen = 1;
            ssize_t count;
            do
            {
                message.msg_control = capacity == 0 ? null : control;
                message.msg_controllen = capacity == 0 ? 0 : HeaderSize + (capacity * sizeof(int));
                count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
            }
            while (count < 0 && errno == EINTR);

            if (count < 0)
            {
                return -errno;
            }

            int got = 0;
            if ((ulong)message.msg_controllen >= HeaderSize && *(int*)(control + 8) == SOL_SOCKET && *(int*)(control + 12) == ScmRights)
            {
                got = (int)((*(ulong*)control - HeaderSize) / sizeof(int));
            }

            int* received = (int*)(control + HeaderSize);
            bool truncated = (message.msg_flags & MSG_CTRUNC) != 0;
            for (int index = 0; index < got && index < MaxFds; index++)
            {
                if (truncated || index >= capacity)
                {
                    _ = close(received[index]);
                    continue;
                }

                fds[index] = received[index];
            }

            if (truncated)
            {
                return -EPROTO;
            }

            fdCount = got;
            return (int)count;
        }
    }

    /// <summary>Sends all bytes on a blocking socket, without SIGPIPE. 0, or the negated error number.</summary>
    public static int SendAll(int socket, ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            int count = Send(socket, data, []);
            if (count < 0)
            {
                return count;
            }

            data = data[count..];
        }

        return 0;
    }

    /// <summary>shutdown(2) of both directions: wakes whoever is blocked on it. 0, or the negated error number.</summary>
    public static int Shutdown(int socket) => shutdown(socket, SHUT_RDWR) == 0 ? 0 : -errno;

    /// <summary>shutdown(2) of the writing direction: the peer reads end of stream. 0, or the negated error number.</summary>
    public static int ShutdownWrite(int socket) => shutdown(socket, SHUT_WR) == 0 ? 0 : -errno;

    /// <summary>shutdown(2) of the reading direction: the peer's writes fail with EPIPE. 0, or the negated error number.</summary>
    public static int ShutdownRead(int socket) => shutdown(socket, SHUT_RD) == 0 ? 0 : -errno;

    private const int ScmRights = 1;
}
