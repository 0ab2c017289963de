using Sandbox.Fuzz.Devices;
using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Guest;

namespace Sandbox.Fuzz.Targets;

/// <summary>The whole vsock device with the socket behind it.</summary>
internal sealed class VsockFuzzer : IFuzzer, IDisposable
{
    private readonly FuzzGuest _guest = new();

    public string Name => "vsock";

    public string Subject => "the whole vsock device: queues, packets, credit, socket";

    public bool MayCrash => true;

    public int MaxInputBytes => 512;

    public void Run(ReadOnlySpan<byte> input)
    {
        _guest.Begin(strict: DeviceScript.IsGood(input));
        OpenFds fds = OpenFds.Before();
        using (VsockBench bench = new(_guest, input.IsEmpty ? (byte)0 : input[0]))
        {
            new DeviceScript(bench, _guest, new InputReader(input)).Run(InputReader.Seed(input));
        }

        fds.RequireSame("vsock");
    }

    public void Dispose() => _guest.Dispose();
}
