namespace Sandbox;

/// <summary>
/// What bounds a disk of the guest's: reads and writes together, whatever file or device is behind it. A request above the rate waits, as on a
/// slower disk; after a pause, a twentieth of a second's worth goes at once, 256 KiB and 16 requests at least.
/// </summary>
public sealed class DiskRateOptions
{
    /// <summary>The most bytes a second that are read, written or filled with zeroes, up to 1 TiB; 0 for no bound. Default: 0.</summary>
    public long BytesPerSecond { get; init; }

    /// <summary>The most requests a second, flushes and discards among them, up to 1,000,000,000; 0 for no bound. Default: 0.</summary>
    public long OperationsPerSecond { get; init; }
}
