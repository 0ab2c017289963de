using Sandbox.Fuzz.Devices;
using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Guest;
using Sandbox.Virtio.Net;

namespace Sandbox.Fuzz.Targets;

/// <summary>The whole network device with the stream behind it.</summary>
internal sealed class NetFuzzer : IFuzzer, IDisposable
{
    private readonly FuzzGuest _guest = new();

    public string Name => "net";

    public string Subject => "the whole network device: queues, frames, filter, stream";

    public bool MayCrash => true;

    public int MaxInputBytes => 512;

    public void Run(ReadOnlySpan<byte> input)
    {
        _guest.Begin(strict: DeviceScript.IsGood(input));
        (int pairs, ulong withheld) = PairsOf(input);
        using NetBench bench = new(_guest, pairs, withheld);
        new DeviceScript(bench, _guest, new InputReader(input)).Run(InputReader.Seed(input));
    }

    public void Dispose() => _guest.Dispose();

    // Bits of the first byte that say nothing to the script. A frontend that keeps the control queue to itself shows the device MQ alone.
    private static (int Pairs, ulong Withheld) PairsOf(ReadOnlySpan<byte> input) => (input.IsEmpty ? 0 : (input[0] >> 3) & 3) switch
    {
        0 => (1, 0),
        1 => (2, 0),
        2 => (3, 0),
        _ => (2, (input[0] & 0x20) == 0 ? NetFeatureBits.MultiQueue : NetFeatureBits.ControlQueue),
    };
}
