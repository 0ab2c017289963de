using System.Collections.Concurrent;

namespace Sandbox.Linux;

/// <summary>
/// Starts processes, all from one thread that lives as long as this process: a child's parent-death signal
/// (PR_SET_PDEATHSIG) is bound to the thread that made it, so a thread that ends would end its children.
/// </summary>
public static class Spawner
{
    private static readonly Lazy<BlockingCollection<Request>> Requests = new(StartThread);

    /// <summary>Starts a process and returns when it has executed its file, or cannot.</summary>
    /// <exception cref="LinuxException">It could not be started.</exception>
    /// <exception cref="ArgumentException">The fd table names a number twice or out of range, or a string holds a NUL.</exception>
    public static ChildProcess Spawn(SpawnSpec spec) => SpawnAsync(spec).GetAwaiter().GetResult();

    /// <inheritdoc cref="Spawn"/>
    public static Task<ChildProcess> SpawnAsync(SpawnSpec spec)
    {
        Request request = new(spec, new TaskCompletionSource<ChildProcess>(TaskCreationOptions.RunContinuationsAsynchronously));
        Requests.Value.Add(request);
        return request.Result.Task;
    }

    private static BlockingCollection<Request> StartThread()
    {
        BlockingCollection<Request> requests = [];
        Thread thread = new(() => Serve(requests)) { IsBackground = true, Name = "spawner" };
        thread.Start();
        return requests;
    }

    private static void Serve(BlockingCollection<Request> requests)
    {
        foreach (Request request in requests.GetConsumingEnumerable())
        {
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

    private sealed record Request(SpawnSpec Spec, TaskCompletionSource<ChildProcess> Result);
}
