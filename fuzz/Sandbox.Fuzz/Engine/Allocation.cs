namespace Sandbox.Fuzz.Engine;

/// <summary>What product code has allocated on this thread, held against a bound.</summary>
internal static class Allocation
{
    public static long Now => GC.GetAllocatedBytesForCurrentThread();

    public static void Require(long before, long limitBytes, string what)
    {
        long bytes = Now - before;
        if (bytes > limitBytes)
        {
            throw new SuspicionException($"{what} allocated {bytes} bytes, at most {limitBytes} are allowed");
        }
    }
}
