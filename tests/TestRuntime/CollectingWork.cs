namespace Sandbox.TestRuntime;

/// <summary>A runtime that keeps its collector, under pressure: collections on several threads, every kind of exception, threads that begin and end, times.</summary>
internal static class CollectingWork
{
    private const int Rounds = 10;

    private static readonly object Shared = new();
    private static object? s_kept;
    private static int s_caught;
    private static int s_finalized;

    /// <summary>What a runtime does once in its life, before the filter.</summary>
    public static void Touch()
    {
        Catch(0);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        _ = string.GetHashCode("seed");
    }

    /// <summary>True when everything came out as it should.</summary>
    public static bool Run()
    {
        for (int round = 0; round < Rounds; round++)
        {
            // The C library keeps 40 MiB of ended threads' stacks; what is more it gives back when the next ends.
            Thread large = new(static () => { }, 64 << 20);
            large.Start();
            large.Join();
            Thread[] threads = [.. Enumerable.Range(0, 3).Select(static seed => new Thread(() => Press(seed)))];
            foreach (Thread thread in threads)
            {
                thread.Start();
            }

            Press(round);
            lock (Shared)
            {
                _ = Monitor.Wait(Shared, 1); // a wait that a time ends
            }

            Thread.Sleep(1);
            foreach (Thread thread in threads)
            {
                thread.Join();
            }

            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        return s_caught == 1 + (Rounds * 4 * 30) && s_finalized > 0;
    }

    private static void Press(int seed)
    {
        List<object> kept = [];
        for (int index = 0; index < 30; index++)
        {
            for (int count = 0; count < 2000; count++)
            {
                s_kept = new byte[1000 + ((seed + count) % 500)];
            }

            kept.Add(new byte[100_000]);
            _ = new Finalized();
            Catch(index);
        }

        GC.KeepAlive(kept);
    }

    private static void Catch(int kind)
    {
        try
        {
            Throw(kind % 3);
        }
        catch (Exception error) when (error is NullReferenceException or DivideByZeroException or InvalidOperationException)
        {
            _ = Interlocked.Increment(ref s_caught);
        }
    }

    private static void Throw(int kind)
    {
        string? nothing = kind == 1 ? null : "x";
        int zero = nothing!.Length - 1; // a null reference is a signal of the processor's
        s_kept = kind == 0 ? throw new InvalidOperationException("thrown") : 1 / zero; // and so is this
    }

    private sealed class Finalized
    {
        ~Finalized() => _ = Interlocked.Increment(ref s_finalized);
    }
}
