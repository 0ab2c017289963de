using Sandbox.Device;
using Sandbox.Device.Rng;
using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Guest;

namespace Sandbox.Fuzz.Devices;

/// <summary>The entropy device.</summary>
internal sealed class EntropyBench(FuzzGuest guest) : DeviceBench(guest)
{
    private readonly RequestCutter _cutter = new(guest);
    private EntropyDevice _device = new();

    public override VirtioDevice Device => _device;

    public override bool CanBeKilled => true;

    public override void Replace() => _device = new EntropyDevice();

    public override bool TryAddRequest(ref InputReader input, int queueIndex, FuzzQueue queue)
    {
        _cutter.Begin();
        int length = input.OneIn(4) ? input.U16() % 6000 : input.Below(200);
        Span<byte> readable = stackalloc byte[input.OneIn(8) ? input.Below(64) : 0];
        return _cutter.TryAddReadable(ref input, readable) && _cutter.TryAddWritable(ref input, length) && queue.TryAdd(_cutter.Buffers, input.OneIn(4), out _);
    }

    public override void Completed(int queueIndex, ushort head, uint writtenBytes)
    {
        if (writtenBytes > EntropyDevice.MaxRequestBytes)
        {
            throw new FindingException($"rng: {writtenBytes} bytes for one request");
        }
    }

    public override void Dispose()
    {
    }
}
