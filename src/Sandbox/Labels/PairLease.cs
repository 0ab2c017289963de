using System.Buffers.Binary;
using Sandbox.Linux;

namespace Sandbox.Labels;

/// <summary>
/// A pair of categories that this process alone may give to sandboxes, until it is disposed of or the process ends: an abstract name for
/// each pair, which the kernel gives to one holder only.
/// </summary>
internal sealed class PairLease : IDisposable
{
    private readonly FdHandle _name;

    private PairLease(CategoryPair pair, FdHandle name) => (Pair, _name) = (pair, name);

    public CategoryPair Pair { get; }

    /// <summary>A pair at random that neither a launcher holds, nor a process has, nor a journal still knows of.</summary>
    /// <param name="categories">How many categories there are to choose from.</param>
    /// <param name="isTaken">More pairs that cannot be had.</param>
    /// <exception cref="SandboxException">There is none left: nothing starts without a pair of its own.</exception>
    public static PairLease Take(int categories, Predicate<CategoryPair> isTaken)
    {
        int count = CategoryPair.CountOf(categories);
        int first = (int)(BinaryPrimitives.ReadUInt32LittleEndian(HostRandom.Bytes(sizeof(uint))) % (uint)count);
        PairSet inUse = LabelsInUse.Pairs();
        for (int tried = 0; tried < count; tried++)
        {
            CategoryPair pair = CategoryPair.At((first + tried) % count);
            if (inUse.Contains(pair) || isTaken(pair) || TryTake(pair) is not { } lease)
            {
                continue;
            }

            // Only now can no other launcher begin with it, so only this look counts: processes of a launcher that has just died
            // still have theirs.
            inUse = LabelsInUse.Pairs();
            if (!inUse.Contains(pair) && !isTaken(pair))
            {
                return lease;
            }

            lease.Dispose();
        }

        throw new SandboxException(
            SandboxErrorKind.HostNotReady, $"all {count} pairs of SELinux categories of this host are in use; end a sandbox, or see `sandbox selinux status`");
    }

    /// <summary>This very pair; null when somebody holds it.</summary>
    public static PairLease? TryTake(CategoryPair pair) =>
        AbstractName.TryHold($"sandbox/categories/{pair.ToString()}") is { } name ? new PairLease(pair, name) : null;

    public void Dispose() => _name.Dispose();
}
