using Sandbox.Fuzz.Devices;
using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Guest;

namespace Sandbox.Fuzz.Targets;

/// <summary>The whole block device.</summary>
internal sealed class BlockFuzzer : IFuzzer, IDisposable
{
    private readonly FuzzGuest _guest = new();
    private readonly DiskFile _disk = new();

    public string Name => "blk";

    public string Subject => "the whole block device: queue, requests, file";

    public bool MayCrash => true;

    public int MaxInputBytes => 512;

    public void Run(ReadOnlySpan<byte> input)
    {
        _guest.Begin(strict: DeviceScript.IsGood(input));
        using BlockBench bench = new(_guest, _disk, readOnly: !input.IsEmpty && (input[0] & 0x18) == 0x18);
        new DeviceScript(bench, _guest, new InputReader(input)).Run(InputReader.Seed(input));
    }

    public void Dispose()
    {
        _disk.Dispose();
        _guest.Dispose();
    }
}
