using Sandbox.Fuzz.Devices;
using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Guest;

namespace Sandbox.Fuzz.Targets;

/// <summary>The whole block device, alone or with the threads and the rate of its process.</summary>
internal sealed class BlockFuzzer(DiskThreads? threads = null) : IFuzzer, IDisposable
{
    private readonly FuzzGuest _guest = new();
    private readonly DiskFile _disk = new();

    // Read from the end: what the script makes of the front stays the same.
    private const int ShapeBytes = 8;

    public string Name => threads is null ? "blk" : "disk";

    public string Subject => threads is null ? "the whole block device: queue, requests, file" : "the same with several queues, threads that wait for the file, a rate";

    public bool MayCrash => true;

    public int MaxInputBytes => 512;

    public void Run(ReadOnlySpan<byte> input)
    {
        _guest.Begin(strict: DeviceScript.IsGood(input));
        bool readOnly = !input.IsEmpty && (input[0] & 0x18) == 0x18;
        InputReader script = new(input);
        InputReader shape = new(input.Length < ShapeBytes ? [] : input[^ShapeBytes..]);
        using BlockBench bench = threads is null ? new(_guest, _disk, readOnly) : new(_guest, _disk, readOnly, threads, ref shape);
        new DeviceScript(bench, _guest, script).Run(InputReader.Seed(input));
    }

    public void Dispose()
    {
        _disk.Dispose();
        _guest.Dispose();
    }
}
