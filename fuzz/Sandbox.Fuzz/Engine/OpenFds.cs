using System.Numerics;
using Sandbox.Linux;

namespace Sandbox.Fuzz.Engine;

/// <summary>Whether an input leaves fds behind: the numbers that were free before it must be free after it.</summary>
internal readonly struct OpenFds
{
    private const int MostNumbers = 64;

    private readonly int _first;
    private readonly int _count;
    private readonly ulong _open; // a bit for each number from there on

    private OpenFds(int first, int count)
    {
        _first = first;
        _count = count;
        _open = Look(first, count);
    }

    /// <param name="numbers">Looked at from the first free one on, at most 64; fewer are faster, where an input opens few.</param>
    public static OpenFds Before(int numbers = MostNumbers)
    {
        using FdHandle probe = EventFd.Create();
        return new OpenFds(probe.Number, numbers);
    }

    public void RequireSame(string who)
    {
        ulong more = Look(_first, _count) & ~_open;
        if (more != 0)
        {
            throw new SuspicionException($"{who}: fd {_first + BitOperations.TrailingZeroCount(more)} ({new FileInfo($"/proc/self/fd/{_first + BitOperations.TrailingZeroCount(more)}").LinkTarget}) is still open when everything is over");
        }
    }

    private static ulong Look(int first, int count)
    {
        ulong open = 0;
        for (int index = 0; index < count; index++)
        {
            open |= FileRange.Length(first + index) != -(int)Errno.EBADF ? 1UL << index : 0;
        }

        return open;
    }
}
