using System.Runtime.InteropServices;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Sandbox.Linux;

/// <summary>What an fd is watched for, or found ready for (epoll_ctl(2)).</summary>
[Flags]
public enum EpollEvents : uint
{
    None = 0,
    Readable = 0x1,
    Writable = 0x4,
    Error = 0x8,
    HangUp = 0x10,
    PeerClosed = 0x2000,

    /// <summary>Told once for each change, not for as long as it is so (EPOLLET).</summary>
    EdgeTriggered = 0x8000_0000,
}

/// <summary>struct epoll_event, packed on x86-64.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
public struct EpollReady
{
    public EpollEvents Events;
    public ulong Tag;
}

/// <summary>A level-triggered epoll set.</summary>
public sealed unsafe class Epoll : IDisposable
{
    private readonly FdHandle _fd;

    public Epoll()
    {
        int fd = epoll_create1(EPOLL_CLOEXEC);
        _fd = fd >= 0 ? new FdHandle(fd) : throw new LinuxException("epoll_create1", (Errno)errno);
    }

    /// <summary>Watches a borrowed fd; <paramref name="tag"/> comes back with its events.</summary>
    public void Add(int fd, EpollEvents events, ulong tag) => LinuxException.Check(Control(EPOLL_CTL_ADD, fd, events, tag), "epoll_ctl add");

    /// <summary>Changes what a watched fd is watched for. 0, or the negated error number.</summary>
    public int Modify(int fd, EpollEvents events, ulong tag) => Control(EPOLL_CTL_MOD, fd, events, tag);

    /// <summary>Stops watching. 0, or the negated error number.</summary>
    public int Remove(int fd) => Control(EPOLL_CTL_DEL, fd, EpollEvents.None, 0);

    /// <summary>Waits; the count of ready entries, 0 on timeout or signal, or the negated error number. -1 ms waits for ever.</summary>
    public int Wait(Span<EpollReady> ready, int timeoutMilliseconds)
    {
        // SAFETY: EpollReady has the layout of struct epoll_event (checked in tests/Abi); the kernel writes at most ready.Length of them.
        fixed (EpollReady* pointer = ready)
        {
            int count = epoll_wait(_fd.Number, (epoll_event*)pointer, ready.Length, timeoutMilliseconds);
            return count >= 0 ? count : errno == EINTR ? 0 : -errno;
        }
    }

    public void Dispose() => _fd.Dispose();

    private int Control(int operation, int fd, EpollEvents events, ulong tag)
    {
        EpollReady entry = new() { Events = events, Tag = tag };
        // SAFETY: the kernel copies the entry during the call.
        return epoll_ctl(_fd.Number, operation, fd, (epoll_event*)&entry) == 0 ? 0 : -errno;
    }
}
