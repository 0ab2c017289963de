using System.Runtime.InteropServices;
using Sandbox.Linux;
using Sandbox.Memory.Abi;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Sandbox.Memory;

/// <content>
/// I/O straight between the kernel and guest pages. Every method moves at most what is left, drops what it moved, and returns
/// that count or the negated error number; 0 from a read is end of file. None allocates or throws.
/// </content>
public sealed unsafe partial class GuestVector
{
    /// <summary>preadv(2): from the file into guest memory, once; the count can be short.</summary>
    public long ReadFrom(int fd, long offset)
    {
        TouchedByKernel(writes: true);
        // SAFETY: the array is pinned for the call and [_first, _end) are live guest segments; the kernel checks the rest. This holds for each call below.
        fixed (iovec* vector = _segments)
        {
            nint count;
            do
            {
                count = VectorCalls.preadv(fd, vector + _first, SegmentCount, offset);
            }
            while (count < 0 && Marshal.GetLastPInvokeError() == EINTR);
            return Finish(count, Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>preadv2(2): the same, or with <paramref name="mayWait"/> false only what is in memory: -EAGAIN when nothing is, -EOPNOTSUPP where the file system cannot tell.</summary>
    public long ReadFrom(int fd, long offset, bool mayWait)
    {
        TouchedByKernel(writes: true);
        fixed (iovec* vector = _segments) // SAFETY: as in ReadFrom.
        {
            nint count;
            do
            {
                count = VectorCalls.preadv2(fd, vector + _first, SegmentCount, offset, mayWait ? 0 : VectorCalls.RWF_NOWAIT);
            }
            while (count < 0 && Marshal.GetLastPInvokeError() == EINTR);
            return Finish(count, Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>pwritev(2): from guest memory into the file, once; the count can be short.</summary>
    public long WriteTo(int fd, long offset)
    {
        TouchedByKernel(writes: false);
        fixed (iovec* vector = _segments) // SAFETY: as in ReadFrom.
        {
            nint count;
            do
            {
                count = VectorCalls.pwritev(fd, vector + _first, SegmentCount, offset);
            }
            while (count < 0 && Marshal.GetLastPInvokeError() == EINTR);
            return Finish(count, Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>recvmsg(2) without waiting: from the socket into guest memory. -EAGAIN when nothing is there.</summary>
    public long Receive(int socket)
    {
        TouchedByKernel(writes: true);
        fixed (iovec* vector = _segments) // SAFETY: as in ReadFrom; no control buffer, so an fd that a peer sends is dropped by the kernel.
        {
            msghdr message = default;
            message.msg_iov = vector + _first;
            message.msg_iovlen = SegmentCount;
            ssize_t count;
            do
            {
                count = recvmsg(socket, &message, MSG_DONTWAIT);
            }
            while (count < 0 && errno == EINTR);
            return Finish((nint)count, errno);
        }
    }

    /// <summary>sendmsg(2) without waiting and without SIGPIPE: from guest memory into the socket. -EAGAIN when it is full.</summary>
    public long Send(int socket)
    {
        TouchedByKernel(writes: false);
        fixed (iovec* vector = _segments) // SAFETY: as in ReadFrom.
        {
            msghdr message = default;
            message.msg_iov = vector + _first;
            message.msg_iovlen = SegmentCount;
            ssize_t count;
            do
            {
                count = sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
            }
            while (count < 0 && errno == EINTR);
            return Finish((nint)count, errno);
        }
    }

    /// <summary>getrandom(2) into the next bytes, at most one segment of them; the host's pool is ready long before any guest runs, so it never waits.</summary>
    public long FillRandom(int atMostBytes)
    {
        if (IsEmpty)
        {
            return 0;
        }

        TouchedByKernel(writes: true);
        GuestSlice front = Front((ulong)atMostBytes);
        // SAFETY: exactly the front segment, or less.
        nint count = VectorCalls.getrandom(front.Address, front.LengthBytes, VectorCalls.GRND_NONBLOCK);
        return Finish(count, Marshal.GetLastPInvokeError());
    }

    private long Finish(nint count, int error)
    {
        if (count < 0)
        {
            return -error;
        }

        Advance((ulong)count);
        return count;
    }
}
