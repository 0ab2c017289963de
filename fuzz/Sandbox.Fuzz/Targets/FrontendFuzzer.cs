using Sandbox.Control.Launch;
using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Guest;
using Sandbox.Fuzz.VhostUser;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.VhostUser;
using Sandbox.Virtio;
using Sandbox.Virtio.Block;
using Sandbox.Vmm.Bus;
using Sandbox.Vmm.VirtioMmio;

namespace Sandbox.Fuzz.Targets;

/// <summary>The VMM's vhost-user side and its session, with a back end that answers as it likes.</summary>
internal sealed class FrontendFuzzer : IFuzzer, IMachineWiring, IDisposable
{
    private const ushort MostEntries = 256;

    // What a guest may be offered of the transport (virtio 1.2, 6); bits 0 to 23 are the device's.
    private const ulong Passable = 0xFF_FFFF | VirtioFeatureBits.RingIndirectDescriptors | VirtioFeatureBits.RingEventIndex | VirtioFeatureBits.Version1;

    // The one byte of configuration that a driver may write is the block device's (5.2.4: writeback).
    private const int WritableByte = 32;

    private static readonly DeviceKind[] Kinds = [DeviceKind.Vsock, DeviceKind.Block, DeviceKind.Block, DeviceKind.Network, DeviceKind.Balloon, DeviceKind.Entropy, DeviceKind.FileSystem];

    private readonly FuzzGuest _guest = new();
    private readonly byte[] _message = new byte[VhostUserLimits.MaxMessageBytes + 64];
    private readonly FdHandle _event = EventFd.Create();
    private readonly FdHandle _records = MemFd.CreateSealed("fuzz-records", 0x8000);
    private readonly Dictionary<(DeviceKind Kind, int Queues), Dialogue> _dialogues = [];
    private readonly int[] _fds;
    private readonly int[] _recordFds;
    private int _attached;

    public FrontendFuzzer()
    {
        _fds = [_event.Number, _event.Number, _event.Number];
        _recordFds = [_records.Number, _event.Number, _event.Number];
    }


    public string Name => "frontend";

    public string Subject => "the VMM's vhost-user side, with a back end that lies";

    public bool MayCrash => true;

    public int MaxInputBytes => 256;

    public void Run(ReadOnlySpan<byte> bytes)
    {
        InputReader input = new(bytes);
        _guest.Begin(strict: false);
        _attached = 0;
        DeviceKind kind = input.Pick<DeviceKind>(Kinds);
        int queueCount = 1 + input.Below(3);
        if (!_dialogues.TryGetValue((kind, queueCount), out Dialogue? dialogue))
        {
            dialogue = Learn(kind, queueCount);
            _dialogues.Add((kind, queueCount), dialogue);
        }

        _attached = 0;
        OpenFds open = OpenFds.Before();
        (FdHandle ours, FdHandle peer) = UnixSocket.CreatePair();
        using (ours)
        using (peer)
        using (VhostUserDevice device = Open(kind, queueCount, ours.Number, input.OneIn(2)))
        {
            // Everything the back end will ever say is in the socket before it is asked; then it hangs up.
            Answers(ref input, peer.Number, dialogue);
            _ = UnixSocket.ShutdownWrite(peer.Number);
            bool negotiated = device.TryNegotiate();
            Reached.Note(1, negotiated ? 1 : 0);
            if (negotiated && ((device.OfferedFeatures & VirtioFeatureBits.Version1) == 0 || (device.OfferedFeatures & ~Passable) != 0))
            {
                throw new FindingException($"frontend: a guest is offered 0x{device.OfferedFeatures:x}");
            }

            if (input.OneIn(4))
            {
                WriteConfig(ref input, device, kind);
            }

            Start(ref input, device, queueCount);
            for (int more = input.Below(6); more > 0; more--)
            {
                Act(ref input, device, dialogue, kind, queueCount);
            }

            device.StopQueues();
            if (_attached != 0)
            {
                throw new FindingException($"frontend: {_attached} ioeventfds are left of queues that were stopped");
            }
        }

        open.RequireSame(Name);
        if (_attached != 0)
        {
            throw new FindingException("frontend: an ioeventfd is left when the device is gone");
        }
    }

    public void AttachIoEventFd(GuestAddress address, uint value, int eventFd) => _attached++;

    public void DetachIoEventFd(GuestAddress address, uint value, int eventFd) => _attached--;

    public void AttachIrqFd(uint gsi, int eventFd)
    {
    }

    public void DetachIrqFd(uint gsi, int eventFd)
    {
    }

    public void Dispose()
    {
        _event.Dispose();
        _records.Dispose();
        _guest.Dispose();
    }

    private void Act(ref InputReader input, VhostUserDevice device, Dialogue dialogue, DeviceKind kind, int queueCount)
    {
        switch (input.Below(6))
        {
            case 0 or 1:
                Replace(ref input, device, dialogue);
                break;
            case 2:
                device.StopQueues();
                Start(ref input, device, queueCount);
                break;
            case 3:
                _ = device.TakeRingFault();
                _ = device.TakeConfigChange();
                break;
            default:
                WriteConfig(ref input, device, kind);
                break;
        }
    }

    private void Start(ref InputReader input, VhostUserDevice device, int queueCount)
    {
        Span<VirtqueueLayout> queues = stackalloc VirtqueueLayout[queueCount];
        foreach (ref VirtqueueLayout queue in queues)
        {
            queue = new VirtqueueLayout(input.OneIn(4) ? input.Edge32() : 16, Place(ref input, 0), Place(ref input, 0x1000), Place(ref input, 0x2000));
        }

        bool started = device.TryStart(input.OneIn(2) ? device.OfferedFeatures : VirtioFeatureBits.Version1, queues);
        Reached.Note(2, started ? 1 : 0);
        foreach (VirtqueueLayout queue in queues)
        {
            if (started && queue.Size != 0 && (queue.Size > MostEntries || VirtqueueFuzzer.ExpectedLayoutFault(queue) != VirtqueueFault.None))
            {
                throw new FindingException($"frontend: a back end was given the ring {queue}");
            }
        }
    }

    // The guest writes where it likes.
    private static void WriteConfig(ref InputReader input, VhostUserDevice device, DeviceKind kind)
    {
        Span<byte> before = stackalloc byte[VhostUserLimits.MaxConfigBytes];
        int length = device.Config.Length;
        device.Config.CopyTo(before);
        uint offset = input.OneIn(2) ? WritableByte : input.OneIn(2) ? input.Byte() : input.Edge32();
        Span<byte> data = stackalloc byte[input.OneIn(4) ? 1 + input.Below(8) : 1];
        data.Fill(input.OneIn(3) ? input.Byte() : (byte)input.Below(2));
        ulong features = input.OneIn(3) ? VirtioFeatureBits.Version1 : device.OfferedFeatures;
        device.WriteConfig(features, offset, data);
        bool taken = kind == DeviceKind.Block && offset == WritableByte && data.Length == 1 && data[0] <= 1 && (features & BlockFeatureBits.ConfigWriteback) != 0;
        if (taken)
        {
            before[WritableByte] = data[0];
        }

        if (!device.Config.SequenceEqual(before[..length]))
        {
            throw new FindingException($"frontend: a write of {data.Length} bytes ({data[0]}) at {offset} of the configuration was {(taken ? "not taken as it is" : "taken")}");
        }
    }

    // A successor of the back end, which lies as well.
    private void Replace(ref InputReader input, VhostUserDevice device, Dialogue dialogue)
    {
        (FdHandle ours, FdHandle peer) = UnixSocket.CreatePair();
        using (peer)
        {
            Answers(ref input, peer.Number, dialogue);
            _ = UnixSocket.ShutdownWrite(peer.Number);
            Reached.Note(4, device.Replace(ours) ? 1 : 0);
        }
    }

    // The answers that the front end waits for, in their order, each now and then another one.
    private void Answers(ref InputReader input, int peer, Dialogue dialogue)
    {
        int broken = input.Below(dialogue.Answers.Count + 8);
        for (int index = 0; index < dialogue.Answers.Count; index++)
        {
            byte[] good = dialogue.Answers[index];
            good.CopyTo(_message, 0);
            int length = good.Length;
            bool withFd = dialogue.WithFd[index];
            int fdCount = withFd ? 1 : 0;
            if (input.OneIn(16) && length >= MessageHeader.SizeBytes + 4)
            {
                BitConverter.TryWriteBytes(_message.AsSpan(MessageHeader.SizeBytes + input.Below(length - MessageHeader.SizeBytes - 3)), input.Edge32());
            }

            if (index == broken)
            {
                switch (input.Below(5))
                {
                    case 0:
                        BitConverter.TryWriteBytes(_message.AsSpan(4 * input.Below(3)), input.Edge32());
                        break;
                    case 1:
                        fdCount = input.Below(4);
                        break;
                    case 2:
                        length = input.Below(length);
                        break;
                    case 3:
                        input.Bytes(8).CopyTo(_message.AsSpan(MessageHeader.SizeBytes));
                        break;
                    default:
                        return; // it says no more
                }
            }

            ReadOnlySpan<int> fds = (withFd ? _recordFds : _fds).AsSpan(0, fdCount);
            _ = UnixSocket.Send(peer, _message.AsSpan(0, length), fds);
        }
    }

    // What a front end of this shape asks a good back end: learned once from the real one.
    private Dialogue Learn(DeviceKind kind, int queues)
    {
        (FdHandle ours, FdHandle peer) = UnixSocket.CreatePair();
        GoodBackend backend = new(peer.Number, _recordFds[0]);
        Thread thread = new(backend.Serve);
        thread.Start();
        using (VhostUserDevice device = Open(kind, queues, ours.Number))
        {
            Span<VirtqueueLayout> layouts = stackalloc VirtqueueLayout[queues];
            layouts.Fill(new VirtqueueLayout(16, new GuestAddress(FuzzGuest.LowStart), new GuestAddress(FuzzGuest.LowStart + 0x1000), new GuestAddress(FuzzGuest.LowStart + 0x2000)));
            if (!device.TryNegotiate() || !device.TryStart(VirtioFeatureBits.Version1, layouts))
            {
                throw new FindingException("frontend: a good back end was refused");
            }

            device.StopQueues();
        }

        ours.Dispose();
        thread.Join();
        peer.Dispose();
        return new Dialogue(backend.Sent, backend.SentWithFd);
    }

    private VhostUserDevice Open(DeviceKind kind, int queues, int socket, bool replaceable = false) => new(
        kind, queues, socket, new DevicePlace(new GuestAddress(0xD000_0000), 5), this, _guest.Memory, _guest.File.Number, why => Reached.Note(3, why.Length), answerLimitMilliseconds: 20_000, replaceable);

    private static GuestAddress Place(ref InputReader input, uint offset) =>
        new(input.OneIn(8) ? input.Edge() : FuzzGuest.LowStart + offset);

    private sealed record Dialogue(IReadOnlyList<byte[]> Answers, IReadOnlyList<bool> WithFd);
}
