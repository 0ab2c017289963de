using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.VhostUser;
using Sandbox.Virtio;
using Sandbox.Vmm.Bus;

namespace Sandbox.Vmm.VirtioMmio;

/// <summary>
/// A virtio device whose rings another process serves. This process shows the registers and hands over memory, rings and eventfds; from
/// then on guest and backend talk without it.
/// </summary>
public sealed partial class VhostUserDevice : IVirtioBackend, IDisposable
{
    // The driver uses what it is offered: more would only cost guest memory.
    private const ushort RingEntries = 256;

    private readonly VhostUserChannel _channel;
    private readonly DevicePlace _place;
    private readonly IMachineWiring _wiring;
    private readonly GuestMemory _memory;
    private readonly int _memoryFd;
    private readonly Action<string> _onLost;
    private readonly MemoryTable _memoryTable;
    private readonly DeviceProfile _profile;
    private readonly byte[] _config;
    private readonly bool[] _running;
    private readonly VirtqueueLayout[] _layouts;
    private readonly bool _replaceable;

    // One line a device: every queue's call is the same eventfd.
    private readonly FdHandle _callEvent = EventFd.Create();
    private readonly FdHandle[] _kickEvents;

    // One for all rings: whichever is broken, the device needs a reset.
    private readonly FdHandle _errorEvent = EventFd.Create();

    /// <summary>Nothing is sent yet: <see cref="TryNegotiate"/> is next.</summary>
    /// <param name="kind">What the guest shall see.</param>
    /// <param name="queueCount">How many queues it has.</param>
    /// <param name="socket">The frontend end of the vhost-user socket; borrowed for the life of the device.</param>
    /// <param name="place">Registers and interrupt line.</param>
    /// <param name="wiring">Attaches eventfds to guest writes and interrupt lines.</param>
    /// <param name="memory">Guest memory, to check rings against.</param>
    /// <param name="memoryFd">The file behind it; borrowed, and passed to the backend at every start.</param>
    /// <param name="onLost">Told once, on any thread, why the backend is given up: one line for the operator.</param>
    /// <param name="answerLimitMilliseconds">How long one request may take.</param>
    /// <param name="replaceable">A backend that closes its socket will be replaced (<see cref="Replace"/>); until then its rings wait.</param>
    /// <param name="tag">The name of a file system; empty for other kinds.</param>
    /// <exception cref="LinuxException">An eventfd could not be made or attached.</exception>
    public VhostUserDevice(
        DeviceKind kind, int queueCount, int socket, DevicePlace place, IMachineWiring wiring, GuestMemory memory, int memoryFd, Action<string> onLost,
        int answerLimitMilliseconds = VhostUserChannel.AnswerLimitMilliseconds, bool replaceable = false, string tag = "")
    {
        ArgumentNullException.ThrowIfNull(wiring);
        ArgumentNullException.ThrowIfNull(memory);
        DeviceId = (uint)kind;
        _channel = new VhostUserChannel(socket, answerLimitMilliseconds);
        _place = place;
        _wiring = wiring;
        _memory = memory;
        _memoryFd = memoryFd;
        _onLost = onLost;
        _memoryTable = Describe(memory);
        _profile = DeviceProfile.Of(kind, queueCount);
        _config = kind == DeviceKind.FileSystem ? FileSystemConfig.Of(tag, queueCount) : new byte[_profile.ConfigBytes];
        _running = new bool[queueCount];
        _layouts = new VirtqueueLayout[queueCount];
        _replaceable = replaceable;
        _kickEvents = new FdHandle[queueCount];
        for (int queue = 0; queue < queueCount; queue++)
        {
            _kickEvents[queue] = EventFd.Create();
        }

        wiring.AttachIrqFd(place.Gsi, _callEvent.Number);
    }

    public uint DeviceId { get; }

    public ulong OfferedFeatures { get; private set; }

    public int QueueCount => _running.Length;

    public ushort MaxQueueSize => RingEntries;

    public ReadOnlySpan<byte> Config => _config;

    /// <summary>The socket in use, borrowed: its closing means that the backend has gone.</summary>
    public int Socket => _channel.Socket;

    /// <summary>Readable when the backend says that a ring is broken. Borrowed.</summary>
    public int ErrorEvent => _errorEvent.Number;

    /// <summary>Takes the backend's word that a ring is broken: false when it said none about the rings that run now.</summary>
    public bool TakeRingFault() => EventFd.TryConsume(_errorEvent.Number);

    public void SignalInterrupt() => _ = EventFd.Signal(_callEvent.Number);

    public void Dispose()
    {
        _channel.Dispose();
        _callEvent.Dispose();
        _errorEvent.Dispose();
        CloseInflightFile();
        foreach (FdHandle kick in _kickEvents)
        {
            kick.Dispose();
        }
    }

    // A "user address" is a label of the frontend's own choosing: the guest-physical address serves, and tells the backend nothing about where
    // things lie in this process.
    private static MemoryTable Describe(GuestMemory memory)
    {
        MemoryTable table = default;
        for (int index = 0; index < memory.RegionCount; index++)
        {
            GuestMemoryRegion region = memory.GetRegion(index);
            if (!table.TryAdd(new MemoryTableRegion(region.Start.Value, region.LengthBytes, new UserAddress(region.Start.Value), region.FileOffset)))
            {
                throw new InvalidOperationException("guest memory does not fit a vhost-user memory table");
            }
        }

        return table;
    }
}

/// <summary>Where a device sits in the guest's machine.</summary>
/// <param name="Registers">First register.</param>
/// <param name="Gsi">Interrupt line.</param>
public readonly record struct DevicePlace(GuestAddress Registers, uint Gsi)
{
    /// <summary>The register that notifies a queue.</summary>
    internal GuestAddress Notify => new(Registers.Value + (uint)VirtioMmio.MmioRegister.QueueNotify);

    /// <summary>The register that acknowledges an interrupt.</summary>
    internal GuestAddress Acknowledge => new(Registers.Value + (uint)VirtioMmio.MmioRegister.InterruptAck);
}
