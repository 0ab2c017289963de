using Sandbox.Fuzz.Devices;
using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Guest;
using Sandbox.Virtio.Net;

namespace Sandbox.Fuzz.Targets;

/// <summary>The whole network device with the stream behind it, or with a tap interface.</summary>
internal sealed class NetFuzzer(bool tap) : IFuzzer, IDisposable
{
    private const int FdsLooked = 16; // a bench has three; all 64 would take a fifth of the time

    private static readonly ulong[] Offloads =
    [
        NetFeatureBits.Checksum, NetFeatureBits.GuestChecksum, NetFeatureBits.GuestTso4, NetFeatureBits.GuestTso6,
        NetFeatureBits.GuestEcn, NetFeatureBits.HostTso4, NetFeatureBits.HostTso6, NetFeatureBits.HostEcn,
    ];

    private readonly FuzzGuest _guest = new();

    public string Name => tap ? "tap" : "net";

    public string Subject => tap ? "the whole network device: queues, frames, offloads, tap interface" : "the whole network device: queues, frames, filter, stream";

    public bool MayCrash => true;

    public int MaxInputBytes => 512;

    public void Run(ReadOnlySpan<byte> input)
    {
        OpenFds open = OpenFds.Before(FdsLooked);
        RunScript(input);
        open.RequireSame(Name);
    }

    public void Dispose() => _guest.Dispose();

    private void RunScript(ReadOnlySpan<byte> input)
    {
        _guest.Begin(strict: DeviceScript.IsGood(input));
        (int pairs, ulong withheld) = PairsOf(input);
        using NetBench bench = new(_guest, pairs, withheld | (tap ? OffloadsWithheld(input) : 0), tap, habit: input.Length < 2 ? (byte)0 : input[^2]);
        new DeviceScript(bench, _guest, new InputReader(input)).Run(InputReader.Seed(input));
    }

    // By the last byte, a bit each.
    private static ulong OffloadsWithheld(ReadOnlySpan<byte> input)
    {
        ulong withheld = 0;
        for (int index = 0; !input.IsEmpty && index < Offloads.Length; index++)
        {
            withheld |= (input[^1] >> index & 1) != 0 ? Offloads[index] : 0;
        }

        return withheld;
    }

    // Bits of the first byte that say nothing to the script. A frontend that keeps the control queue to itself shows the device MQ alone.
    private static (int Pairs, ulong Withheld) PairsOf(ReadOnlySpan<byte> input) => (input.IsEmpty ? 0 : (input[0] >> 3) & 3) switch
    {
        0 => (1, 0),
        1 => (2, 0),
        2 => (3, 0),
        _ => (2, (input[0] & 0x20) == 0 ? NetFeatureBits.MultiQueue : NetFeatureBits.ControlQueue),
    };
}
