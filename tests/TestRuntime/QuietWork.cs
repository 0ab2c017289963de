using Sandbox.Linux;

namespace Sandbox.TestRuntime;

/// <summary>What a process without a collector may do under its filter, and what it may not.</summary>
internal static class QuietWork
{
    private static readonly object Shared = new();
    private static long s_counter;

    /// <summary>Host failures, thrown through some frames and caught: what the product's exceptions are.</summary>
    public static void Fail(int times)
    {
        for (int index = 0; index < times; index++)
        {
            try
            {
                Descend(index % 20);
            }
            catch (LinuxException failure) when (failure.Errno == Errno.EIO)
            {
                s_counter += failure.Message.Length;
            }
        }
    }

    /// <summary>Says on standard output that it is ready, and waits for a byte on standard input: signals come meanwhile.</summary>
    public static void TellAndRead()
    {
        _ = FdIo.Write(1, "r"u8);
        Span<byte> one = stackalloc byte[1];
        _ = FdIo.Read(0, one);
        Fail(100);
    }

    /// <summary>Many threads at one lock, and failures among them.</summary>
    public static void Contend(int rounds)
    {
        for (int round = 0; round < rounds; round++)
        {
            lock (Shared)
            {
                s_counter++;
            }
        }

        Fail(20);
    }

    /// <summary>Uses up all that was committed: the collector wants to run then.</summary>
    public static void Exhaust()
    {
        List<byte[]> kept = [];
        while (true)
        {
            kept.Add(new byte[4096]);
        }
    }

    private static void Descend(int depth)
    {
        if (depth == 0)
        {
            throw new LinuxException($"operation {s_counter}", Errno.EIO);
        }

        Descend(depth - 1);
    }
}
