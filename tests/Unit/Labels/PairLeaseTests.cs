using Sandbox.Labels;

namespace Sandbox.Unit.Tests.Labels;

/// <summary>The names are the kernel's: no SELinux is needed to take them. Pairs at random, as other test runs on this machine take some too.</summary>
public sealed class PairLeaseTests
{
    private readonly CategoryPair[] _pairs = [.. Random.Shared.GetItems(Enumerable.Range(0, CategoryPair.CountOf(CategoryPair.Categories)).ToArray(), 3).Distinct().Select(CategoryPair.At)];

    [Fact]
    public void Take_WhenAllAreHeld_FailsClosed()
    {
        List<PairLease> leases = [];
        try
        {
            for (int count = 0; count < _pairs.Length; count++)
            {
                leases.Add(Take());
            }

            Assert.Equal(_pairs.Select(pair => pair.Index).Order(), leases.Select(lease => lease.Pair.Index).Order());
            SandboxException failure = Assert.Throws<SandboxException>(Take);
            Assert.Equal(SandboxErrorKind.HostNotReady, failure.Kind);
            leases[0].Dispose();
            using PairLease again = Take();
            Assert.Equal(leases[0].Pair.Index, again.Pair.Index);
        }
        finally
        {
            leases.ForEach(lease => lease.Dispose());
        }
    }

    [Fact]
    public void TryTake_OfAHeldPair_GetsNothingUntilItIsFree()
    {
        using (PairLease? first = PairLease.TryTake(_pairs[0]))
        {
            Assert.NotNull(first);
            Assert.Null(PairLease.TryTake(_pairs[0]));
        }

        using PairLease? second = PairLease.TryTake(_pairs[0]);
        Assert.NotNull(second);
    }

    private PairLease Take() => PairLease.Take(CategoryPair.Categories, pair => !_pairs.Any(mine => mine.Index == pair.Index));
}
