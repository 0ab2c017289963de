namespace Sandbox.Runtime;

/// <summary>
/// How often a process may be started again: at once the first times, then after a wait that doubles, and at most so often within a minute.
/// The bound is for safety too: a guest that can crash its device has no endless row of tries.
/// </summary>
internal sealed class RestartBudget
{
    /// <summary>The most restarts within <see cref="WindowMilliseconds"/>.</summary>
    public const int MaxRestarts = 20;

    public const int WindowMilliseconds = 60_000;

    private const int AtOnce = 3;
    private const int FirstWaitMilliseconds = 10;
    private const int LongestWaitMilliseconds = 1000;

    private readonly Queue<long> _recent = new();

    /// <summary>False when the budget is spent.</summary>
    /// <param name="nowMilliseconds">Of a clock that only goes forward.</param>
    /// <param name="waitMilliseconds">How long to wait before the restart.</param>
    public bool TryTake(long nowMilliseconds, out int waitMilliseconds)
    {
        while (_recent.TryPeek(out long oldest) && nowMilliseconds - oldest >= WindowMilliseconds)
        {
            _ = _recent.Dequeue();
        }

        int before = _recent.Count;
        waitMilliseconds = before < AtOnce ? 0 : Math.Min(LongestWaitMilliseconds, FirstWaitMilliseconds << (before - AtOnce));
        if (before == MaxRestarts)
        {
            return false;
        }

        _recent.Enqueue(nowMilliseconds);
        return true;
    }
}
