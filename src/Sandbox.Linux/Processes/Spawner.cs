namespace Sandbox.Linux;

/// <summary>
/// Starts processes, all from one thread that lives as long as this process: a child's parent-death signal
/// (PR_SET_PDEATHSIG) is bound to the thread that made it, so a thread that ends would end its children.
/// </summary>
public static class Spawner
{
    // A queue and its monitor, no BlockingCollection: that one alone would be 20 KB of the launcher.
    private static readonly Queue<Request> Waiting = new();
    private static Thread? _thread;

    /// <summary>Starts a process and returns when it has executed its file, or cannot.</summary>
    /// <exception cref="LinuxException">It could not be started.</exception>
    /// <exception cref="ArgumentException">The fd table names a number twice or out of range, or a string holds a NUL.</exception>
    public static ChildProcess Spawn(SpawnSpec spec) => SpawnAsync(spec).GetAwaiter().GetResult();

    /// <inheritdoc cref="Spawn"/>
    public static Task<ChildProcess> SpawnAsync(SpawnSpec spec)
    {
        Request request = new(spec, new TaskCompletionSource<ChildProcess>(TaskCreationOptions.RunContinuationsAsynchronously));
        lock (Waiting)
        {
            _thread ??= StartThread();
            Waiting.Enqueue(request);
            Monitor.Pulse(Waiting);
        }

        return request.Result.Task;
    }

    private static Thread StartThread()
    {
        Thread thread = new(Serve) { IsBackground = true, Name = "spawner" };
        thread.Start();
        return thread;
    }

    private static void Serve()
    {
        while (true)
        {
            Request request = Next();
#pragma warning disable CA1031, CA2000 // Whatever fails belongs to the caller, as the child does; this thread must not end.
            try
            {
                request.Result.SetResult(PosixSpawn.Start(request.Spec));
            }
            catch (Exception error)
#pragma warning restore CA1031, CA2000
            {
                request.Result.SetException(error);
            }
        }
    }

    private static Request Next()
    {
        lock (Waiting)
        {
            while (Waiting.Count == 0)
            {
                Monitor.Wait(Waiting);
            }

            return Waiting.Dequeue();
        }
    }

    private sealed class Request(SpawnSpec spec, TaskCompletionSource<ChildProcess> result)
    {
        public SpawnSpec Spec { get; } = spec;

        public TaskCompletionSource<ChildProcess> Result { get; } = result;
    }
}
