using System.Diagnostics.CodeAnalysis;
using Sandbox.Linux;

namespace Sandbox.Device.Block;

/// <summary>
/// Threads that wait for a disk's medium, so that the main thread need not. Each waits in a read(2) of its own eventfd, runs the one job it
/// is given, and says so by a write to an eventfd that all share. Nothing else is between the threads: no lock, no futex, no pool.
/// </summary>
/// <remarks>
/// They are made before the process has a filter and before it has heard a byte from anybody, so that no filter grants what makes a thread; the
/// filters then go over all threads. What the runtime does once for each thread is done by then: it calls read, write and what a job needs.
/// A process that ends does not wait for them: exit_group(2) takes them along.
/// </remarks>
[SuppressMessage("Reliability", "CA1001", Justification = "Lives as long as the process.")]
internal sealed class BlockWorkers
{
    /// <summary>How many a disk has: as many requests wait for the medium at once. Each costs some 30 KiB.</summary>
    public const int DefaultCount = 8;

    private const int StackBytes = 256 * 1024; // reserved; what is used of it is two or three pages

    private readonly Worker[] _workers;
    private readonly int[] _idle;
    private readonly FdHandle _told = EventFd.CreateBlocking();
    private int _idleCount;

    /// <exception cref="LinuxException">The host has no thread left for this process.</exception>
    public BlockWorkers(int count)
    {
        _workers = new Worker[count];
        _idle = new int[count];
        for (int index = 0; index < count; index++)
        {
            _workers[index] = new Worker(_told.Number);
            try
            {
                new Thread(_workers[index].Loop, StackBytes) { IsBackground = true }.Start();
            }
            catch (Exception failure) when (failure is OutOfMemoryException or ThreadStartException)
            {
                throw new LinuxException("start a thread that waits for the disk", Errno.EAGAIN);
            }

            AwaitSignal(); // it runs, and has done what it does once
            Return(index);
        }
    }

    /// <summary>Signalled for each job that is finished.</summary>
    public int ToldFd => _told.Number;

    public int Count => _workers.Length;

    public bool HasIdle => _idleCount != 0;

    /// <summary>An idle worker, the one that was busy last: its memory is warm.</summary>
    public int Take() => _idle[--_idleCount];

    /// <summary>Gives a job to a worker that was taken: to nobody else does it belong until it is done.</summary>
    public void Give(int worker, BlockJob job) => _workers[worker].Give(job);

    /// <summary>A worker whose job is done may be taken again.</summary>
    public void Return(int worker) => _idle[_idleCount++] = worker;

    /// <summary>Waits until a job has been finished since this was last called, or long ago: look again.</summary>
    public void AwaitSignal()
    {
        while (!EventFd.TryConsume(_told.Number))
        {
            // A signal that nobody handles: a tracer comes or goes.
        }
    }

    private sealed class Worker(int told)
    {
        private readonly FdHandle _go = EventFd.CreateBlocking();
        private BlockJob? _job;

        public void Give(BlockJob job)
        {
            Volatile.Write(ref _job, job); // release: the job is whole
            _ = EventFd.Signal(_go.Number);
        }

        public void Loop()
        {
            // The runtime's storage for a thread's last error is made at its first use.
            _ = FileRange.Sync(-1);
            _ = EventFd.Signal(told);
            while (true)
            {
                if (EventFd.TryConsume(_go.Number))
                {
                    BlockJob job = Volatile.Read(ref _job)!;
                    job.Run();
                    job.EndRun();
                    _ = EventFd.Signal(told);
                }
            }
        }
    }
}
