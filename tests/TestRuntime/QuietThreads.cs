namespace Sandbox.TestRuntime;

/// <summary>Threads as the VMM makes them: started under the start filter, confined at a gate, and never ended.</summary>
internal sealed class QuietThreads
{
    private readonly object _lock = new();
    private readonly int _count;
    private bool _open;
    private int _arrived;
    private int _done;
    private bool _sound = true;

    public QuietThreads(int count, Func<int> confine, Action work)
    {
        _count = count;
        for (int index = 0; index < count; index++)
        {
            new Thread(() => Live(confine, work), 256 * 1024) { IsBackground = true }.Start();
        }

        Await(() => _arrived == _count);
    }

    /// <summary>Lets them work; true when all have done it and each was confined.</summary>
    public bool Run()
    {
        Change(() => _open = true);
        Await(() => _done == _count);
        return _sound;
    }

    private void Live(Func<int> confine, Action work)
    {
        Change(() => _arrived++);
        Await(() => _open);
        bool confined = confine() == 0;
        work();
        Change(() =>
        {
            _done++;
            _sound &= confined;
        });
        Await(static () => false);
    }

    private void Change(Action change)
    {
        lock (_lock)
        {
            change();
            Monitor.PulseAll(_lock);
        }
    }

    private void Await(Func<bool> condition)
    {
        lock (_lock)
        {
            while (!condition())
            {
                _ = Monitor.Wait(_lock);
            }
        }
    }
}
