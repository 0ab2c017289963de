using System.Runtime.CompilerServices;

namespace Sandbox.Linux;

/// <summary>A .NET runtime that asks the kernel for nothing any more, so that a filter need not grant what it would ask for.</summary>
public static class QuietRuntime
{
    private static FdHandle? s_go;
    private static FdHandle? s_told;

    /// <summary>
    /// Ends garbage collection in this process. What the runtime does once in its life is done; its finalizer thread is put to sleep for
    /// ever; memory for all that the process will ever allocate is committed: until it is used up, an allocation is no system call. A
    /// process that uses it up collects, and its filter kills it for that: what a peer can cause again and again must allocate nothing.
    /// </summary>
    /// <param name="heapBytes">What may be allocated from here on, a part of which is lost between objects. Pages count when they are touched.</param>
    /// <exception cref="LinuxException">The memory is not to be had.</exception>
    public static void Begin(long heapBytes)
    {
        Touch();
        ParkFinalizer();
        if (!GC.TryStartNoGCRegion(heapBytes))
        {
            throw new LinuxException($"commit {heapBytes} bytes of heap", Errno.ENOMEM);
        }

        SettleFinalizer();
    }

    // Seeds of hash codes (the runtime looks for /dev/urandom), buffers of text formatting, tables of exception handling: a host failure
    // is told by an exception with a formatted text, under the filter too.
    private static void Touch()
    {
        try
        {
            throw new LinuxException($"{RuntimeHelpers.GetHashCode(new object()):x} {string.GetHashCode("seed")}", Errno.ETIMEDOUT);
        }
        catch (LinuxException)
        {
            // Nothing has failed.
        }
    }

    // Its thread would wait for a collection with calls of its own. A finalizer that never returns holds it in a read(2) that every filter
    // grants anyway, and it makes sure that the thread has started, which needs calls that no filter grants.
    private static void ParkFinalizer()
    {
        s_go = EventFd.CreateBlocking();
        s_told = EventFd.CreateBlocking();
        Leave();
        GC.Collect();
        Await(s_told);
    }

    // A collection stops the other threads by a signal to those that run. One sent just when the thread went into its read may reach it
    // only now, on a busy host, and the end of its handler (rt_sigreturn) is a call that no filter grants. Signals are delivered before a
    // read returns: a thread that has answered has none before it, and no further one is sent, for nothing is collected any more.
    private static void SettleFinalizer()
    {
        _ = EventFd.Signal(s_go!.Number);
        Await(s_told!);
        s_told!.Dispose();
    }

    private static void Await(FdHandle counter)
    {
        Span<byte> count = stackalloc byte[sizeof(ulong)];
        _ = FdIo.Read(counter.Number, count);
    }

    // In a method of its own, so that no register of the caller keeps the object alive.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Leave() => _ = new Parker();

    private sealed class Parker
    {
        ~Parker()
        {
            _ = EventFd.Signal(s_told!.Number);
            Await(s_go!);
            _ = EventFd.Signal(s_told.Number);
            Await(s_go!); // for ever
        }
    }
}
