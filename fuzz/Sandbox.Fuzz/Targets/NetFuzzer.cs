using Sandbox.Fuzz.Devices;
using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Guest;

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
        using NetBench bench = new(_guest);
        new DeviceScript(bench, _guest, new InputReader(input)).Run(InputReader.Seed(input));
    }

    public void Dispose() => _guest.Dispose();
}
