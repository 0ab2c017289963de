namespace Sandbox.Device.Block;

/// <summary>Where a request is. Only the main thread moves it on.</summary>
internal enum BlockPhase
{
    /// <summary>There is none.</summary>
    Free = 0,

    /// <summary>Its data waits for a worker.</summary>
    Queued,

    /// <summary>A worker reads, writes or clears.</summary>
    Moving,

    /// <summary>What it wrote, or a flush, waits for the next synchronization to begin.</summary>
    AwaitingSync,

    /// <summary>It is one of those that the running synchronization is for.</summary>
    InSync,

    /// <summary>So it is, and the one that a worker has for it.</summary>
    Syncing,

    /// <summary>It can be answered.</summary>
    Finished,
}
