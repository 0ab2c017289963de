using Sandbox.Fuzz.Devices;
using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Guest;

namespace Sandbox.Fuzz.Targets;

/// <summary>The whole balloon.</summary>
internal sealed class BalloonFuzzer : IFuzzer, IDisposable
{
    private readonly FuzzGuest _guest = new();

    public string Name => "balloon";

    public string Subject => "the whole balloon: no page is returned but those that the driver gave";

    public bool MayCrash => true;

    public int MaxInputBytes => 512;

    public void Run(ReadOnlySpan<byte> input)
    {
        _guest.Begin(strict: DeviceScript.IsGood(input));
        using BalloonBench bench = new(_guest);
        new DeviceScript(bench, _guest, new InputReader(input)).Run(InputReader.Seed(input));
    }

    public void Dispose() => _guest.Dispose();
}
