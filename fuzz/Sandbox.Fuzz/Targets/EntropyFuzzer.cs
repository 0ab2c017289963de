using Sandbox.Fuzz.Devices;
using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Guest;

namespace Sandbox.Fuzz.Targets;

/// <summary>The whole entropy device.</summary>
internal sealed class EntropyFuzzer : IFuzzer, IDisposable
{
    private readonly FuzzGuest _guest = new();

    public string Name => "rng";

    public string Subject => "the whole entropy device";

    public bool MayCrash => true;

    public int MaxInputBytes => 512;

    public void Run(ReadOnlySpan<byte> input)
    {
        _guest.Begin(strict: DeviceScript.IsGood(input));
        using EntropyBench bench = new(_guest);
        new DeviceScript(bench, _guest, new InputReader(input)).Run(InputReader.Seed(input));
    }

    public void Dispose() => _guest.Dispose();
}
