using Sandbox.Runtime;

namespace Sandbox.Unit.Tests.Library;

public sealed class RestartBudgetTests
{
    [Fact]
    public void Storm_BacksOffAndGivesUp()
    {
        RestartBudget budget = new();
        List<int> waits = [];
        long now = 1000;
        while (budget.TryTake(now, out int wait))
        {
            waits.Add(wait);
            now += wait;
        }

        Assert.Equal(RestartBudget.MaxRestarts, waits.Count);
        Assert.Equal([0, 0, 0, 10, 20, 40, 80, 160, 320, 640, 1000, 1000], waits[..12]);
    }

    [Fact]
    public void ARareDeath_IsAlwaysFollowedByARestartAtOnce()
    {
        RestartBudget budget = new();
        for (int death = 0; death < 1000; death++)
        {
            Assert.True(budget.TryTake(death * 30_000L, out int wait));
            Assert.Equal(0, wait);
        }
    }

    [Fact]
    public void Budget_ThatWasSpent_IsThereAgainAMinuteLater()
    {
        RestartBudget budget = new();
        while (budget.TryTake(0, out _))
        {
        }

        Assert.False(budget.TryTake(RestartBudget.WindowMilliseconds - 1, out _));
        Assert.True(budget.TryTake(RestartBudget.WindowMilliseconds, out int wait));
        Assert.Equal(0, wait);
    }
}
