using Sandbox.Linux.Abi;
using static Tmds.Linux.LibC;

namespace Sandbox.Linux;

/// <summary>What an fd is polled for, or found ready for (poll(2)).</summary>
[Flags]
public enum PollEvents : short
{
    None = 0,
    Readable = 0x1,
    Writable = 0x4,
    Error = 0x8,
    HangUp = 0x10,
    Invalid = 0x20,
    PeerClosed = 0x2000,
}

/// <summary>struct pollfd.</summary>
public struct PollEntry
{
    public int Fd;
    public PollEvents Wanted;
    public PollEvents Found;
}

/// <summary>poll(2): waits for a few fds without the state of an epoll set.</summary>
public static unsafe class Poll
{
    /// <summary>A timeout that never comes.</summary>
    public const int Forever = -1;

    /// <summary>Waits until an entry is ready. How many are (0: the time was up), or the negated error number. Again on EINTR, with the whole time.</summary>
    public static int Wait(Span<PollEntry> entries, int timeoutMilliseconds)
    {
        // SAFETY: PollEntry is struct pollfd (compared by the ABI test); the span is pinned and its length is given.
        fixed (PollEntry* pointer = entries)
        {
            while (true)
            {
                int ready = Glibc.poll(pointer, (nuint)entries.Length, timeoutMilliseconds);
                if (ready >= 0)
                {
                    return ready;
                }

                if (errno != EINTR)
                {
                    return -errno;
                }
            }
        }
    }

    /// <inheritdoc cref="Wait(Span{PollEntry}, int)"/>
    public static int Wait(int fd, PollEvents wanted, int timeoutMilliseconds, out PollEvents found)
    {
        PollEntry entry = new() { Fd = fd, Wanted = wanted };
        int ready = Wait(new Span<PollEntry>(ref entry), timeoutMilliseconds);
        found = entry.Found;
        return ready;
    }
}
