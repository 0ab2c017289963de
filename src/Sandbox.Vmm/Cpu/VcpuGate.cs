using Sandbox.Linux;

namespace Sandbox.Vmm.Cpu;

/// <summary>
/// Where the threads of the vCPUs wait, twice: until the process has its filter, when each adds its own, and until all have. No guest
/// instruction runs before. Each step of the main thread ends when every vCPU's thread has followed.
/// </summary>
internal sealed class VcpuGate(int threadCount)
{
    private readonly object _lock = new();
    private Phase _phase;
    private int _arrived;
    private int _failure;

    private enum Phase
    {
        Created,
        Confining,
        Open,
    }

    /// <summary>A vCPU's thread: waits, confines itself, waits again. False when its filter was refused: it must not run.</summary>
    public bool Pass()
    {
        Arrive(0);
        Await(Phase.Confining);
        int result = SeccompFilter.InstallOnThread(VmmFilters.Vcpu);
        Arrive(result);
        Await(Phase.Open);
        return result >= 0;
    }

    /// <summary>The main thread: every vCPU's thread runs, and has done what only the start filter grants.</summary>
    public void AwaitThreads() => AwaitArrivals(threadCount);

    /// <summary>The main thread: every vCPU's thread gets its filter.</summary>
    /// <exception cref="LinuxException">The kernel refused one.</exception>
    public void Confine()
    {
        Enter(Phase.Confining);
        AwaitArrivals(2 * threadCount);
        LinuxException.Check(_failure, "seccomp filter of a vCPU");
    }

    /// <summary>The main thread: lets them run.</summary>
    public void Open() => Enter(Phase.Open);

    /// <summary>Never returns.</summary>
    public static void Park() => Thread.Sleep(Timeout.Infinite);

    private void Enter(Phase phase)
    {
        lock (_lock)
        {
            _phase = phase;
            Monitor.PulseAll(_lock);
        }
    }

    private void Arrive(int result)
    {
        lock (_lock)
        {
            _failure = result < 0 ? result : _failure;
            _arrived++;
            Monitor.PulseAll(_lock);
        }
    }

    private void AwaitArrivals(int count)
    {
        lock (_lock)
        {
            while (_arrived < count)
            {
                _ = Monitor.Wait(_lock);
            }
        }
    }

    private void Await(Phase phase)
    {
        lock (_lock)
        {
            while (_phase < phase)
            {
                _ = Monitor.Wait(_lock);
            }
        }
    }
}
