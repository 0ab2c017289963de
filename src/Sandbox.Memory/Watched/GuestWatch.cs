namespace Sandbox.Memory;

/// <summary>Where the fuzzer puts its watcher; each thread has its own.</summary>
public static class GuestWatch
{
    [ThreadStatic]
    private static IGuestWatcher? s_watcher;

    /// <summary>Null: nobody looks on.</summary>
    public static IGuestWatcher? Watcher
    {
        get => s_watcher;
        set => s_watcher = value;
    }
}
