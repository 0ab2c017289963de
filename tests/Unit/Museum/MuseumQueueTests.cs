using Sandbox.Boot;
using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.Virtio;
using Sandbox.Virtio.Vsock;
using Sandbox.Unit.Tests.Device;

namespace Sandbox.Unit.Tests.Museum;

/// <summary>Rows 4, 7, 9 and 10 of the museum (README.md in this folder).</summary>
public sealed class MuseumQueueTests : IDisposable
{
    private readonly TestGuest _guest = new();
    private readonly SplitVirtqueue _queue = new();
    private readonly DescriptorChain _chain = new();
    private readonly DriverQueue _driver;

    public MuseumQueueTests()
    {
        _driver = new DriverQueue(_guest, 16);
        Assert.Equal(VirtqueueFault.None, _queue.Configure(_guest.Memory, _driver.Layout, VirtioFeatureBits.RingIndirectDescriptors, 0));
    }

    public void Dispose() => _guest.Dispose();

    /// <summary>What was served once is never served again by turning the index back (firecracker#3149).</summary>
    [Fact]
    public void Museum04_AvailableIndexTurnedBack_ServesNothingTwice()
    {
        GuestAddress buffer = _guest.Allocate(16);
        for (int index = 0; index < 3; index++)
        {
            _driver.Add(new DriverBuffer(buffer, 16, true));
            Assert.True(_queue.TryPop(_chain));
            _queue.Complete(_chain.HeadIndex, 0);
        }

        _driver.RawAvailableIndex(1);

        Assert.False(_queue.TryPop(_chain));
        Assert.Equal(VirtqueueFault.AvailableIndexTooFar, _queue.Fault);
        Assert.Equal(3, _driver.UsedIndex);
    }

    /// <summary>A device cannot be led to its own registers: only guest memory has slices (CVE-2024-3446). Directly, and as the place of an indirect table.</summary>
    [Theory]
    [InlineData(GuestLayout.VirtioMmioStart, false)]
    [InlineData(GuestLayout.VirtioMmioStart + 0x50, false)] // QueueNotify
    [InlineData(GuestLayout.IoApic, false)]
    [InlineData(GuestLayout.LocalApic, false)]
    [InlineData(GuestLayout.VirtioMmioStart, true)]
    [InlineData(GuestLayout.LocalApic, true)]
    public void Museum09_DescriptorAtARegister_IsRefused(ulong address, bool asTable)
    {
        _driver.RawDescriptor(0, address, 16, asTable ? DriverQueue.Indirect : DriverQueue.Write, 0);
        _driver.RawMakeAvailable(0);

        Assert.False(_queue.TryPop(_chain));
        Assert.Equal(VirtqueueFault.BufferOutsideMemory, _queue.Fault);
    }

    /// <summary>No memory of the guest lies where registers are, whatever its size.</summary>
    [Theory]
    [InlineData(64UL << 20)]
    [InlineData(4UL << 30)]
    [InlineData(1UL << 40)]
    public void Museum09_GuestMemory_NeverCoversRegisters(ulong memoryBytes)
    {
        foreach (GuestMemoryRegion region in GuestLayout.GetMemoryRegions(memoryBytes))
        {
            ulong end = region.Start.Value + region.LengthBytes;
            Assert.True(end <= GuestLayout.LowMemoryLimit || region.Start.Value >= GuestLayout.HighMemoryStart);
        }

        Assert.InRange(GuestLayout.VirtioMmioStart, GuestLayout.LowMemoryLimit, GuestLayout.HighMemoryStart);
    }

    /// <summary>Two lengths for one buffer: of a packet longer than its header says only what the header says is taken (CVE-2023-3180).</summary>
    [Fact]
    public void Museum10_PacketLongerThanItsHeaderSays_IsCutToTheHeader()
    {
        using VsockHarness vsock = new();
        vsock.Connect();
        vsock.Send(VsockHarness.Header(VsockOperation.Data, 4), "abcdefgh"u8);
        byte[] received = new byte[16];

        Assert.Equal(4, vsock.LauncherRead(received));
        Assert.Equal("abcd"u8, received.AsSpan(0, 4));
    }
}
