using Sandbox.Memory;
using Sandbox.Vmm.Bus;

namespace Sandbox.Unit.Tests.Vmm;

/// <summary>Which device answers, and what answers where none does.</summary>
public sealed class BusTests
{
    [Fact]
    public void MmioBus_AccessInsideARange_ReachesItsDevice()
    {
        Recorder low = new(0x11);
        Recorder high = new(0x22);
        MmioBus bus = new();
        bus.Add(new GuestAddress(0x2000), 0x1000, high); // out of order on purpose
        bus.Add(new GuestAddress(0x1000), 0x1000, low);

        Assert.Equal([0x11, 0x11], Read(bus, 0x1FFE, 2));
        Assert.Equal(0xFFEu, low.LastOffset);
        Assert.Equal([0x22], Read(bus, 0x2000, 1));
        Assert.Equal(0u, high.LastOffset);
    }

    [Theory]
    [InlineData(0xFFFul, 1)] // just below
    [InlineData(0x2000ul, 4)] // just above
    [InlineData(0x1FFDul, 4)] // across the end
    [InlineData(0xFFEul, 4)] // across the start
    [InlineData(ulong.MaxValue, 8)]
    public void MmioBus_AccessNotWhollyInside_ReadsOnesAndReachesNobody(ulong address, int bytes)
    {
        Recorder device = new(0x11);
        MmioBus bus = new();
        bus.Add(new GuestAddress(0x1000), 0x1000, device);

        bus.Write(new GuestAddress(address), new byte[bytes]);
        Assert.All(Read(bus, address, bytes), value => Assert.Equal(0xFF, value));
        Assert.Null(device.LastOffset);
    }

    [Theory]
    [InlineData(0x1000ul, 0x1000u)]
    [InlineData(0x1FFFul, 1u)]
    [InlineData(0x800ul, 0x801u)]
    [InlineData(0x0ul, 0x10000u)]
    [InlineData(0x5000ul, 0u)]
    public void MmioBus_OverlapOrEmptyRange_IsOurOwnBug(ulong start, uint bytes)
    {
        MmioBus bus = new();
        bus.Add(new GuestAddress(0x1000), 0x1000, new Recorder(0));

        Assert.ThrowsAny<Exception>(() => bus.Add(new GuestAddress(start), bytes, new Recorder(0)));
    }

    private static byte[] Read(MmioBus bus, ulong address, int bytes)
    {
        byte[] data = new byte[bytes];
        bus.Read(new GuestAddress(address), data);
        return data;
    }

    private sealed class Recorder(byte answer) : IMmioDevice
    {
        public uint? LastOffset { get; private set; }

        public void Read(uint offset, Span<byte> data)
        {
            LastOffset = offset;
            data.Fill(answer);
        }

        public void Write(uint offset, ReadOnlySpan<byte> data) => LastOffset = offset;
    }
}
