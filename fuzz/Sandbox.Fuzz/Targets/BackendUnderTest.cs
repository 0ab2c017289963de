using Sandbox.Device;
using Sandbox.Device.Block;
using Sandbox.Fuzz.Devices;
using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Guest;
using Sandbox.Fuzz.VhostUser;
using Sandbox.Linux;
using Sandbox.VhostUser;

namespace Sandbox.Fuzz.Targets;

/// <summary>A block device behind its vhost-user socket, as the process has it, and the front end's end of that socket.</summary>
internal sealed class BackendUnderTest : IDisposable
{
    private const ulong RequestsAt = FuzzGuest.LowStart + 0x8000;
    private const uint RingEntries = 16;

    private readonly FuzzGuest _guest;
    private readonly Epoll _epoll = new();
    private readonly FdHandle _ours;
    private readonly FdHandle _frontend;
    private readonly BlockDevice _device;
    private readonly VhostUserBackend _backend;
    private readonly byte[] _replies = new byte[4096];

    /// <param name="guest">Whose memory it is.</param>
    /// <param name="disk">The file.</param>
    /// <param name="records">Of requests in flight.</param>
    /// <param name="workers">The threads of the process, in which every transfer waits: a session may end, or its memory go, with requests in work.</param>
    public BackendUnderTest(FuzzGuest guest, DiskFile disk, FdHandle records, BlockWorkers workers)
    {
        _guest = guest;
        (_ours, _frontend) = UnixSocket.CreatePair();
        _ = FdIo.SetNonBlocking(_frontend.Number, on: true);
        _device = new BlockDevice(disk.Fd, BlockModel.CapacityBytes, readOnly: false, BlockModel.Serial, queueCount: 1, direct: true, rate: null, workers);
        _backend = new VhostUserBackend(_ours.Number, _device, _epoll, new BackendInflight(records.Number));
    }

    public ulong Features => _device.OfferedFeatures;

    /// <summary>One message, or a part of one, and all that the back end makes of it. False: the session is over.</summary>
    public bool Receive(ReadOnlySpan<byte> bytes, ReadOnlySpan<int> fds)
    {
        if (UnixSocket.Send(_frontend.Number, bytes, fds) != bytes.Length)
        {
            return false;
        }

        // As often as the loop would come by: a whole message takes two turns.
        for (int turn = 0; turn < 4; turn++)
        {
            if (!_backend.Receive())
            {
                Reached.Note(7, (int)_backend.Fault);
                return false;
            }
        }

        _ = FdIo.Read(_frontend.Number, _replies);
        return true;
    }

    /// <summary>The loop after its events.</summary>
    public void Turn()
    {
        long before = Allocation.Now;
        for (int turn = 0; turn < 4 && _device.Work(); turn++)
        {
        }

        Allocation.Require(before, 0, "a turn of the device");
        Reached.Note(8, (int)_device.Queues[0].Ring.Fault);
    }

    /// <summary>The driver writes rings where the good messages put them.</summary>
    public void DriverWorks(ref InputReader input)
    {
        RingAddresses ring = FrontendMessage.Addresses(0);
        ulong descriptors = ring.Descriptors.Value - FrontendMessage.UserBase;
        ulong available = ring.Available.Value - FrontendMessage.UserBase;
        Span<byte> bytes = stackalloc byte[16];
        input.Bytes(16).CopyTo(bytes);
        _guest.Write(descriptors + (16ul * (uint)input.Below(16)), bytes);
        _guest.Write16(available + 4 + (2ul * (uint)input.Below(16)), (ushort)input.Below(18));
        _guest.Write16(available + 2, unchecked((ushort)(_guest.Read16(available + 2) + input.Below(4))));
    }

    /// <summary>Two sound transfers at once: one alone the device would wait for itself.</summary>
    public void DriverAsks(ref InputReader input)
    {
        RingAddresses ring = FrontendMessage.Addresses(0);
        ulong descriptors = ring.Descriptors.Value - FrontendMessage.UserBase;
        ulong available = ring.Available.Value - FrontendMessage.UserBase;
        ushort index = _guest.Read16(available + 2);
        Span<byte> header = stackalloc byte[16];
        for (ushort request = 0; request < 2; request++)
        {
            ushort head = (ushort)((6 * input.Below(2)) + (3 * request));
            bool writes = input.OneIn(2);
            ulong place = RequestsAt + (0x1000ul * head);
            ulong at = descriptors + (16ul * head);
            header.Clear();
            header[0] = writes ? (byte)1 : (byte)0;
            header[8] = (byte)input.Below(BlockModel.Sectors);
            _guest.Write(place, header);
            _guest.WriteDescriptor(at, place, 16, FuzzQueue.Next, (ushort)(head + 1));
            _guest.WriteDescriptor(at + 16, place + 0x100, 512u << input.Below(3), (ushort)(FuzzQueue.Next | (writes ? 0 : FuzzQueue.DeviceWrites)), (ushort)(head + 2));
            _guest.WriteDescriptor(at + 32, place + 0x10, 1, FuzzQueue.DeviceWrites, 0);
            _guest.Write16(available + 4 + (2ul * ((index + (uint)request) % RingEntries)), head);
        }

        _guest.Write16(available + 2, unchecked((ushort)(index + 2)));
    }

    public void Dispose()
    {
        // What the loop and the end of the process do for the real one.
        DiskThreads.End(_device);
        foreach (DeviceQueue queue in _device.Queues)
        {
            queue.Ring.Stop();
            queue.TakeKick(-1);
            queue.TakeCall(-1);
            queue.TakeError(-1);
        }

        _backend.Release();
        _ours.Dispose();
        _frontend.Dispose();
        _epoll.Dispose();
    }
}
