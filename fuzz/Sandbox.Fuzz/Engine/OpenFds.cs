using System.Numerics;
using Sandbox.Linux;

namespace Sandbox.Fuzz.Engine;

/// <summary>Whether an input leaves fds behind: the numbers that were free before it must be free after it.</summary>
internal readonly struct OpenFds
{
    private const int Looked = 64;

    private readonly int _first;
    private readonly ulong _open; // a bit for each number from there on

    private OpenFds(int first)
    {
        _first = first;
        _open = Look(first);
    }

    public static OpenFds Before()
    {
        using FdHandle probe = EventFd.Create();
        return new OpenFds(probe.Number);
    }

    public void RequireSame(string who)
    {
        ulong more = Look(_first) & ~_open;
        if (more != 0)
        {
            throw new SuspicionException($"{who}: fd {_first + BitOperations.TrailingZeroCount(more)} ({new FileInfo($"/proc/self/fd/{_first + BitOperations.TrailingZeroCount(more)}").LinkTarget}) is still open when everything is over");
        }
    }

    private static ulong Look(int first)
    {
        ulong open = 0;
        for (int index = 0; index < Looked; index++)
        {
            open |= FileRange.Length(first + index) != -(int)Errno.EBADF ? 1UL << index : 0;
        }

        return open;
    }
}
