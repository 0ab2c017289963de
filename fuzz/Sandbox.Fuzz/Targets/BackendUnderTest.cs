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
    private readonly FuzzGuest _guest;
    private readonly Epoll _epoll = new();
    private readonly FdHandle _ours;
    private readonly FdHandle _frontend;
    private readonly BlockDevice _device;
    private readonly VhostUserBackend _backend;
    private readonly byte[] _replies = new byte[4096];

    public BackendUnderTest(FuzzGuest guest, DiskFile disk, FdHandle records)
    {
        _guest = guest;
        (_ours, _frontend) = UnixSocket.CreatePair();
        _ = FdIo.SetNonBlocking(_frontend.Number, on: true);
        _device = new BlockDevice(disk.Fd, BlockModel.CapacityBytes, readOnly: false, BlockModel.Serial);
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

    public void Dispose()
    {
        // What the end of the process does for the real one.
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
