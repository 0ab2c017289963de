using System.Diagnostics;
using Sandbox.Boot;
using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.VhostUser;
using Sandbox.Virtio;
using Sandbox.Virtio.Block;
using Sandbox.Vmm.VirtioMmio;

namespace Sandbox.Unit.Tests.VirtioMmio;

/// <summary>The VMM's side of vhost-user against backends that keep the rules and ones that do not, over a real socket.</summary>
public sealed class VhostUserDeviceTests : IDisposable
{
    private const ulong GuestBytes = 1 << 20;
    private readonly FdHandle _file = MemFd.CreateSealed("test", (long)GuestBytes);
    private readonly GuestMemory _memory;
    private readonly FdHandle _frontend;
    private readonly FdHandle _backend;
    private readonly WiringStub _wiring = new();
    private readonly List<string> _losses = [];
    private readonly VhostUserDevice _device;

    public VhostUserDeviceTests()
    {
        _memory = GuestMemory.Map(_file.Number, GuestLayout.GetMemoryRegions(GuestBytes));
        (_frontend, _backend) = UnixSocket.CreatePair();
        _device = new VhostUserDevice(
            DeviceKind.Block, 1, _frontend.Number, new DevicePlace(new GuestAddress(0xD000_0000), 5), _wiring, _memory, _file.Number, _losses.Add, answerLimitMilliseconds: 300);
    }

    public void Dispose()
    {
        _device.Dispose();
        _memory.Dispose();
        _file.Dispose();
        _frontend.Dispose();
        _backend.Dispose();
    }

    [Fact]
    public void StartAndReset_WithABackendThatKeepsTheRules_WireAndUnwireTheRing()
    {
        using BackendThread backend = new(_backend.Number);

        Assert.True(_device.TryNegotiate());
        // The double offers more: several queues, a packed ring, notification data. They stay behind.
        Assert.Equal(
            VirtioFeatureBits.Version1 | VirtioFeatureBits.RingEventIndex | VirtioFeatureBits.RingIndirectDescriptors | BlockFeatureBits.ConfigWriteback,
            _device.OfferedFeatures);
        Assert.Equal(0x42, _device.Config[0]);
        Assert.Equal([5u], _wiring.IrqFds.Keys);

        for (int round = 0; round < 2; round++)
        {
            Assert.True(_device.TryStart(VirtioFeatureBits.Version1, [Ring()]));
            Assert.True(backend.Session.IsRunning(0));
            Assert.Equal(new RingLayout(16, 0x1000, 0x2000, 0x3000, 0), backend.Session.GetRing(0));
            Assert.Equal([(0xD000_0050UL, 0u)], _wiring.IoEventFds.Keys);

            _device.StopQueues();
            Assert.False(backend.Session.IsRunning(0));
            Assert.Empty(_wiring.IoEventFds);
        }

        Assert.Empty(_losses);
    }

    [Theory]
    [InlineData(0x1000UL, 512u)] // larger than offered
    [InlineData(0x1000UL, 24u)]
    [InlineData(0x1001UL, 16u)]
    [InlineData(0xF_F000UL, 16u)] // rings reach beyond memory
    [InlineData(0xFFFF_FFFF_FFFF_F000UL, 16u)]
    [InlineData(0xD000_0000UL, 16u)] // Museum 9: its own registers
    public void Museum06_Ring_ThatIsUnsound_NeverReachesTheBackend(ulong start, uint size)
    {
        using BackendThread backend = new(_backend.Number);
        Assert.True(_device.TryNegotiate());

        VirtqueueLayout ring = new(size, new GuestAddress(start), new GuestAddress(unchecked(start + 0x1000)), new GuestAddress(unchecked(start + 0x2000)));
        Assert.False(_device.TryStart(VirtioFeatureBits.Version1, [ring]));

        Assert.Empty(_wiring.IoEventFds);
        Assert.False(backend.Session.IsRunning(0));
        Assert.Empty(_losses); // the driver's fault, not the backend's
    }

    [Fact]
    public void Backend_ThatClosesItsSocket_IsLostOnce()
    {
        _backend.Dispose();

        Assert.False(_device.TryNegotiate());
        Assert.False(_device.TryNegotiate());
        Assert.False(_device.TryStart(VirtioFeatureBits.Version1, [Ring()]));
        _device.StopQueues();
        Assert.Contains("closed", Assert.Single(_losses), StringComparison.Ordinal);
    }

    [Fact]
    public void Backend_ThatNeverAnswers_IsLostAfterTheTimeLimit()
    {
        Stopwatch watch = Stopwatch.StartNew();

        Assert.False(_device.TryNegotiate());

        Assert.InRange(watch.ElapsedMilliseconds, 250, 20_000);
        Assert.Contains("in time", Assert.Single(_losses), StringComparison.Ordinal);
    }

    [Fact]
    public void Backend_ThatDribbles_IsLostAfterTheSameTimeLimit()
    {
        using CancellationTokenSource stop = new();
        Thread dribble = new(() =>
        {
            byte[] reply = Reply(FrontendRequest.GetFeatures, 8);
            for (int index = 0; index < reply.Length && !stop.IsCancellationRequested; index++)
            {
                _ = UnixSocket.Send(_backend.Number, reply.AsSpan(index, 1), []);
                Thread.Sleep(500); // ten seconds for the whole answer
            }
        });
        dribble.Start();
        Stopwatch watch = Stopwatch.StartNew();

        Assert.False(_device.TryNegotiate());

        Assert.InRange(watch.ElapsedMilliseconds, 250, 8000);
        stop.Cancel();
        dribble.Join();
    }

    [Fact]
    public void Museum31_Backend_ThatSendsFds_IsLostAndTheFdsAreClosed()
    {
        (FdHandle witness, FdHandle sent) = UnixSocket.CreatePair();
        int[] fds = [.. Enumerable.Repeat(sent.Number, 8)];
        _ = UnixSocket.Send(_backend.Number, Reply(FrontendRequest.GetFeatures, 8), fds);
        sent.Dispose();

        Assert.False(_device.TryNegotiate());

        Assert.Contains("BadFdCount", Assert.Single(_losses), StringComparison.Ordinal);
        using (witness)
        {
            _ = FdIo.SetNonBlocking(witness.Number, on: true);
            Assert.Equal(0, FdIo.Read(witness.Number, new byte[1])); // end of stream: no copy of the other end is left
        }
    }

    [Theory]
    [InlineData(FrontendRequest.GetFeatures, 0xFFFF_FFFFu)]
    [InlineData(FrontendRequest.GetFeatures, 4u)]
    [InlineData(FrontendRequest.GetVringBase, 8u)]
    public void Backend_WhoseAnswerIsWrong_IsLost(FrontendRequest request, uint payloadBytes)
    {
        _ = UnixSocket.Send(_backend.Number, Reply(request, payloadBytes), []);

        Assert.False(_device.TryNegotiate());
        Assert.Contains("protocol", Assert.Single(_losses), StringComparison.Ordinal);
    }

    [Fact]
    public void Backend_WithoutProtocolFeatures_IsTooWeak()
    {
        byte[] reply = Reply(FrontendRequest.GetFeatures, 8);
        VhostUserCodec.WriteValue(reply.AsSpan(MessageHeader.SizeBytes), TransportFeatures.Version1);
        _ = UnixSocket.Send(_backend.Number, reply, []);

        Assert.False(_device.TryNegotiate());
        Assert.Contains("BackendTooWeak", Assert.Single(_losses), StringComparison.Ordinal);
    }

    /// <summary>Random bytes as answers: always an end, never an exception, never a wait beyond the limit.</summary>
    [Fact]
    public void Backend_ThatAnswersNoise_IsLost()
    {
        byte[] noise = new byte[200];
        new Random(7).NextBytes(noise);
        noise[0] = 1;
        noise[1] = noise[2] = noise[3] = 0;
        _ = UnixSocket.Send(_backend.Number, noise, []);

        Assert.False(_device.TryNegotiate());
        Assert.Single(_losses);
    }

    private static VirtqueueLayout Ring() => new(16, new GuestAddress(0x1000), new GuestAddress(0x2000), new GuestAddress(0x3000));

    private static byte[] Reply(FrontendRequest request, uint payloadBytes)
    {
        byte[] reply = new byte[MessageHeader.SizeBytes + 8];
        VhostUserCodec.WriteHeader(reply, new MessageHeader(request, MessageFlags.Version1 | MessageFlags.Reply, payloadBytes));
        return reply;
    }
}
