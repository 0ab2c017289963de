using Sandbox.Control.Launch;
using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Guest;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.VhostUser;
using Sandbox.Virtio;
using Sandbox.Vmm.Bus;
using Sandbox.Vmm.VirtioMmio;

namespace Sandbox.Fuzz.Targets;

/// <summary>The VMM's vhost-user side and its session, with a back end that answers as it likes.</summary>
internal sealed class FrontendFuzzer : IFuzzer, IMachineWiring, IDisposable
{
    private readonly FuzzGuest _guest = new();
    private readonly byte[] _message = new byte[VhostUserLimits.MaxMessageBytes + 64];
    private readonly FdHandle _event = EventFd.Create();
    private readonly int[] _fds;
    private int _attached;

    public FrontendFuzzer() => _fds = [_event.Number, _event.Number, _event.Number];

    public string Name => "frontend";

    public string Subject => "the VMM's vhost-user side, with a back end that lies";

    public bool MayCrash => true;

    public int MaxInputBytes => 256;

    public void Run(ReadOnlySpan<byte> bytes)
    {
        InputReader input = new(bytes);
        _guest.Begin(strict: false);
        _attached = 0;
        using FdHandle before = EventFd.Create();
        (FdHandle ours, FdHandle peer) = UnixSocket.CreatePair();
        using (ours)
        using (peer)
        using (VhostUserDevice device = new(input.OneIn(2) ? DeviceKind.Vsock : DeviceKind.Block, 1 + input.Below(3), ours.Number, new DevicePlace(new GuestAddress(0xD000_0000), 5), this, _guest.Memory, _guest.File.Number, why => Reached.Note(3, why.Length), answerLimitMilliseconds: 20))
        {
            // Everything the back end will ever say is in the socket before it is asked; then it hangs up.
            Answers(ref input, peer.Number);
            _ = UnixSocket.ShutdownWrite(peer.Number);
            bool negotiated = device.TryNegotiate();
            Reached.Note(1, negotiated ? 1 : 0);
            if (negotiated && (device.OfferedFeatures & VirtioFeatureBits.Version1) == 0)
            {
                throw new FindingException("frontend: a back end without VERSION_1 was taken");
            }

            Span<VirtqueueLayout> queues = stackalloc VirtqueueLayout[device.QueueCount];
            foreach (ref VirtqueueLayout queue in queues)
            {
                queue = new VirtqueueLayout(input.OneIn(4) ? input.Edge32() : 16, Place(ref input, 0), Place(ref input, 0x1000), Place(ref input, 0x2000));
            }

            bool started = device.TryStart(VirtioFeatureBits.Version1, queues);
            Reached.Note(2, started ? 1 : 0);
            device.StopQueues();
        }

        using FdHandle after = EventFd.Create();
        if (after.Number != before.Number + 1 || _attached != 0)
        {
            throw new SuspicionException("frontend: an fd or an ioeventfd is left when the device is gone");
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
        _guest.Dispose();
    }

    // The answers that the front end waits for, in their order, each now and then another one.
    private void Answers(ref InputReader input, int peer)
    {
        int broken = input.Below(24);
        for (int index = 0; index < 24; index++)
        {
            FrontendRequest request = index switch
            {
                0 => FrontendRequest.GetFeatures,
                1 => FrontendRequest.GetProtocolFeatures,
                2 => FrontendRequest.SetOwner,
                3 => FrontendRequest.GetQueueNum,
                4 => FrontendRequest.GetConfig,
                5 => FrontendRequest.SetFeatures,
                6 => FrontendRequest.SetMemTable,
                _ => (FrontendRequest)((int[])[8, 10, 9, 13, 12, 18])[(index - 7) % 6],
            };
            ulong value = index switch
            {
                0 => ulong.MaxValue & ~(input.OneIn(8) ? 1UL << 32 : 0),
                1 => input.OneIn(6) ? input.Edge() : ulong.MaxValue,
                3 => input.OneIn(4) ? input.Edge() : 8,
                _ => input.OneIn(16) ? 1ul : 0,
            };
            int payload = sizeof(ulong);
            VhostUserCodec.WriteValue(_message.AsSpan(MessageHeader.SizeBytes), value);
            if (request == FrontendRequest.GetConfig)
            {
                uint length = input.OneIn(4) ? input.Edge32() : (uint)(input.OneIn(2) ? 8 : 60);
                VhostUserCodec.WriteConfigRange(_message.AsSpan(MessageHeader.SizeBytes), new ConfigRange(input.OneIn(8) ? input.Edge32() : 0, length, 0));
                payload = ConfigRange.SizeBytes + (int)Math.Min(length, 256);
            }

            MessageFlags flags = MessageFlags.Version1 | MessageFlags.Reply;
            uint claimed = (uint)payload;
            int fdCount = 0;
            if (index == broken)
            {
                request = input.OneIn(3) ? (FrontendRequest)input.Edge32() : request;
                flags = input.OneIn(3) ? (MessageFlags)input.Edge32() : flags;
                claimed = input.OneIn(2) ? input.Edge32() : claimed;
                fdCount = input.Below(4);
            }

            VhostUserCodec.WriteHeader(_message, new MessageHeader(request, flags, claimed));
            ReadOnlySpan<int> fds = _fds.AsSpan(0, fdCount);
            _ = UnixSocket.Send(peer, _message.AsSpan(0, MessageHeader.SizeBytes + payload), fds);
        }
    }

    private static GuestAddress Place(ref InputReader input, uint offset) =>
        new(input.OneIn(8) ? input.Edge() : FuzzGuest.LowStart + offset);
}
