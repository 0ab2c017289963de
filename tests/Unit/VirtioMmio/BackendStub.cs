using Sandbox.Virtio;
using Sandbox.Vmm.VirtioMmio;

namespace Sandbox.Unit.Tests.VirtioMmio;

/// <summary>A backend that notes what it was told.</summary>
internal sealed class BackendStub : IVirtioBackend
{
    public uint DeviceId => 2;

    public ulong OfferedFeatures { get; init; } = VirtioFeatureBits.Version1 | VirtioFeatureBits.RingEventIndex | (1UL << 9);

    public int QueueCount => 2;

    public ushort MaxQueueSize => 256;

    public ReadOnlySpan<byte> Config => "0123456789"u8;

    public bool StartSucceeds { get; set; } = true;

    public int Starts { get; private set; }

    public int Stops { get; private set; }

    public int Interrupts { get; private set; }

    public ulong Features { get; private set; }

    public VirtqueueLayout[] Queues { get; private set; } = [];

    public bool TryStart(ulong features, ReadOnlySpan<VirtqueueLayout> queues)
    {
        Starts++;
        Features = features;
        Queues = queues.ToArray();
        return StartSucceeds;
    }

    public List<(uint Offset, byte[] Data)> ConfigWrites { get; } = [];

    public void WriteConfig(ulong features, uint offset, ReadOnlySpan<byte> data) => ConfigWrites.Add((offset, data.ToArray()));

    public void StopQueues() => Stops++;

    public void SignalInterrupt() => Interrupts++;
}
