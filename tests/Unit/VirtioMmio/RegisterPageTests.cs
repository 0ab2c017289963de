using Sandbox.Memory;
using Sandbox.Virtio;
using Sandbox.Vmm.VirtioMmio;

namespace Sandbox.Unit.Tests.VirtioMmio;

/// <summary>The page on which a guest reads registers without an exit. That it says what the registers do, VirtioMmioTransportTests see at every read.</summary>
public sealed class RegisterPageTests : IDisposable
{
    private static readonly GuestAddress Start = new(0xD000_0000);

    private readonly GuestMemory _memory = GuestMemory.MapOwn(Start, 0x1000);
    private readonly WatchingBackend _backend;
    private readonly VirtioMmioTransport _transport;
    private readonly MmioDriver _driver;

    public RegisterPageTests()
    {
        Assert.True(_memory.TryGetSlice(Start, 0x1000, out GuestSlice page));
        _backend = new WatchingBackend(page);
        _transport = new VirtioMmioTransport(_backend, page);
        _driver = new MmioDriver(_transport, page);
    }

    public void Dispose() => _memory.Dispose();

    [Fact]
    public void Page_WhereThereIsNoRegister_ReadsAllOnes()
    {
        byte[] bytes = new byte[0x1000];
        Assert.True(_memory.TryRead(Start, bytes));

        foreach (uint offset in (uint[])[0x014, 0x020, 0x038, 0x050, 0x064, 0x080, 0x0AC, 0x0B0, 0x0B4])
        {
            Assert.Equal([0xFF, 0xFF, 0xFF, 0xFF], bytes[(int)offset..((int)offset + 4)]);
        }
    }

    [Fact]
    public void Page_BehindTheConfiguration_HoldsNothing()
    {
        byte[] bytes = new byte[0x1000];
        Assert.True(_memory.TryRead(Start, bytes));

        Assert.Equal("0123456789"u8, bytes.AsSpan(0x100, 10));
        Assert.Equal(-1, bytes.AsSpan(0x10A).IndexOfAnyExcept((byte)0));
    }

    [Fact]
    public void ConfigurationChange_SeenByADriverThatReadsMeanwhile_HasAnotherGenerationBeforeTheBytesAndAfter()
    {
        uint before = _driver.Read(MmioRegister.ConfigGeneration);
        _backend.Text = "9876543210";
        _transport.ConfigurationChanged();

        (uint Generation, byte First) seen = Assert.Single(_backend.SeenWhenAsked, seen => seen.First == (byte)'0');
        Assert.NotEqual(before, seen.Generation); // it moved before the first byte did
        Assert.NotEqual(seen.Generation, _driver.Read(MmioRegister.ConfigGeneration)); // and again after the last
        Assert.NotEqual(before, _driver.Read(MmioRegister.ConfigGeneration));
    }

    /// <summary>A backend completes buffers of a ring while it is told of the next one: the interrupt must not find an empty InterruptStatus.</summary>
    [Fact]
    public void DriverOk_WhileTheBackendIsTold_AlreadyShowsUsedBuffers()
    {
        _driver.Negotiate(VirtioFeatureBits.Version1);
        _driver.SetUpQueue(0);
        Assert.Equal(0u, _driver.Read(MmioRegister.InterruptStatus));
        _driver.DriverOk();

        Assert.Equal(1u, _backend.SeenAtStart);
        _driver.Write(MmioRegister.Status, 0);
        Assert.Equal(0u, _driver.Read(MmioRegister.InterruptStatus));
    }

    /// <summary>fuzz/FINDINGS.md: the change was in InterruptStatus as read, and not on the page.</summary>
    [Fact]
    public void ConfigurationChange_BeforeTheDriverIsReady_IsOnThePage()
    {
        _driver.SetStatus(DeviceStatus.Acknowledge);
        _transport.ConfigurationChanged();

        Assert.Equal(2u, _driver.Read(MmioRegister.InterruptStatus)); // both, or it would say so
    }

    [Theory]
    [InlineData(true, 0x4Fu)]
    [InlineData(false, 0x0Fu)]
    public void Interrupt_FromThisSide_FindsThePageAsItShallBeRead(bool demandsReset, uint status)
    {
        _driver.Negotiate(VirtioFeatureBits.Version1);
        _driver.SetUpQueue(0);
        _driver.DriverOk();
        if (demandsReset)
        {
            _ = _transport.DemandReset();
        }
        else
        {
            _transport.ConfigurationChanged();
        }

        Assert.Equal([(status, 3u)], _backend.SeenAtInterrupt);
    }

    /// <summary>Looks at the page whenever it is asked something, as a guest on another vCPU might.</summary>
    private sealed class WatchingBackend(GuestSlice page) : IVirtioBackend
    {
        private byte[] _config = "0123456789"u8.ToArray();

        public string Text
        {
            set => _config = System.Text.Encoding.ASCII.GetBytes(value);
        }

        public List<(uint Generation, byte First)> SeenWhenAsked { get; } = [];

        public List<(uint Status, uint Interrupt)> SeenAtInterrupt { get; } = [];

        public uint DeviceId => 2;

        public ulong OfferedFeatures => VirtioFeatureBits.Version1;

        public int QueueCount => 1;

        public ushort MaxQueueSize => 256;

        public ReadOnlySpan<byte> Config
        {
            get
            {
                if (_config[0] != (byte)'0')
                {
                    Span<byte> first = stackalloc byte[1];
                    page.CopyTo((uint)MmioRegister.Config, first);
                    SeenWhenAsked.Add((page.ReadUInt32Acquire((uint)MmioRegister.ConfigGeneration), first[0]));
                }

                return _config;
            }
        }

        public uint SeenAtStart { get; private set; }

        public bool TryStart(ulong features, ReadOnlySpan<VirtqueueLayout> queues)
        {
            SeenAtStart = page.ReadUInt32Acquire((uint)MmioRegister.InterruptStatus);
            return true;
        }

        public void WriteConfig(ulong features, uint offset, ReadOnlySpan<byte> data)
        {
        }

        public void StopQueues()
        {
        }

        public void SignalInterrupt() =>
            SeenAtInterrupt.Add((page.ReadUInt32Acquire((uint)MmioRegister.Status), page.ReadUInt32Acquire((uint)MmioRegister.InterruptStatus)));
    }
}
