namespace Sandbox.Linux;

/// <summary>What the .NET runtime does once in its life, done before a filter goes in that would not let it.</summary>
public static class RuntimeWarmUp
{
    /// <summary>One collection: the finalizer thread has started for sure (its start needs calls that no filter grants), and the collector has its memory.</summary>
    public static void Run()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }
}
