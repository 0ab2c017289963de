using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Guest;
using Sandbox.Fuzz.VhostUser;
using Sandbox.Linux;
using Sandbox.VhostUser;

namespace Sandbox.Fuzz.Remote;

/// <summary>One session of a front end that lies, from one input: good messages, then requests, kicks, bad messages, and the question whether anybody is still there.</summary>
internal sealed class RemoteSession : IDisposable
{
    private const int AnswerLimitMilliseconds = 10_000;
    private const ulong DataStart = FuzzGuest.LowStart + 0x1_0000;

    private readonly FuzzGuest _guest = new();
    private readonly FrontendMessage _message = new();
    private readonly FdHandle _event = EventFd.Create();
    private readonly FdHandle _records = MemFd.CreateSealed("fuzz-records", 0x8000);
    private readonly byte[] _bytes = new byte[VhostUserLimits.MaxMessageBytes + 64];
    private ushort _available;

    /// <summary>Null, or what the back end did that it must not.</summary>
    public string? Run(FdHandle socket, string device, ReadOnlySpan<byte> bytes)
    {
        InputReader input = new(bytes);
        _guest.Begin(strict: false);
        _guest.Auditor.Muted = true;
        _available = 0;
        ulong features = AskFeatures(socket) & (TransportFeatures.Version1 | (1UL << 28));
        int queues = device switch { "balloon" => 3, "vsock" => 2, _ => 1 };
        bool alive = features != 0;
        int good = input.OneIn(4) ? input.Below(16) : int.MaxValue;
        for (int step = 0; step < good && alive && _message.TryMakeGood(step, queues, features, ProtocolFeatures.None); step++)
        {
            alive = Send(socket, whole: true);
        }

        while (!input.IsEmpty && alive)
        {
            switch (input.Below(8))
            {
                case 0:
                    _message.Make(ref input);
                    alive = Send(socket, !input.OneIn(10));
                    break;
                case 1:
                    _ = Poll.Wait(socket.Number, PollEvents.Readable, input.Below(4), out _);
                    break;
                default:
                    AddRequest(ref input, device, (uint)input.Below(queues));
                    _ = EventFd.Signal(_event.Number);
                    break;
            }
        }

        return alive && !IsAnswering(socket) ? $"hang: no answer to GET_FEATURES within {AnswerLimitMilliseconds / 1000} s" : null;
    }

    public void Dispose()
    {
        _guest.Dispose();
        _event.Dispose();
        _records.Dispose();
    }

    private bool Send(FdHandle socket, bool whole)
    {
        VhostUserCodec.WriteHeader(_bytes, _message.Header);
        _message.Payload.CopyTo(_bytes.AsSpan(MessageHeader.SizeBytes));
        Span<int> fds = stackalloc int[_message.FdCount];
        fds.Fill(_message.Fds switch { FdKind.Memory => _guest.File.Number, FdKind.Records => _records.Number, _ => _event.Number });
        int length = MessageHeader.SizeBytes + _message.PayloadBytes;
        length = whole ? length : length / 2;
        return UnixSocket.Send(socket.Number, _bytes.AsSpan(0, length), fds) == length;
    }

    // Three buffers like a request of that device, with a field wrong now and then.
    private void AddRequest(ref InputReader input, string device, uint queue)
    {
        RingAddresses ring = FrontendMessage.Addresses(queue);
        ulong descriptors = ring.Descriptors.Value - FrontendMessage.UserBase;
        ulong available = ring.Available.Value - FrontendMessage.UserBase;
        Span<byte> header = stackalloc byte[64];
        input.Bytes(input.OneIn(3) ? 64 : 8).CopyTo(header);
        if (device == "blk")
        {
            header[0] = input.Pick<byte>([0, 1, 4, 8, 11, 13, 0xFF]);
            header[1..8].Clear();
        }
        else if (device == "vsock" && !input.OneIn(6))
        {
            new Virtio.Vsock.VsockPacketHeader(3, 2, 77, 1024, input.Byte(), 1, (Virtio.Vsock.VsockOperation)input.Below(9), Virtio.Vsock.VsockShutdown.None, 0x1_0000, 0).Encode(header);
        }

        else if (device == "balloon" && !input.OneIn(6))
        {
            BitConverter.TryWriteBytes(header, 1u + (uint)input.Below(40)); // a page of the guest's, or not
        }

        _guest.Write(DataStart, header);
        bool deviceWrites = device == "rng" || (device == "blk" && header[0] is 0 or 8) || (device == "vsock" && queue == 0) || (device == "balloon" && queue == 2);
        int slot = 3 * input.Below(5);
        Describe(ref input, descriptors, slot, DataStart, device == "blk" ? 16u : 44, (ushort)(deviceWrites && device != "blk" ? 3 : 1));
        Describe(ref input, descriptors, slot + 1, DataStart + 0x1000, (device == "balloon" ? 4096u : 512u) * (uint)input.Below(4), (ushort)(deviceWrites ? 3 : 1));
        Describe(ref input, descriptors, slot + 2, DataStart + 0x3000, 1, 2);
        _guest.Write16(available + 4 + (2ul * (uint)(_available % 16)), (ushort)(input.OneIn(16) ? input.U16() : slot));
        _available = unchecked((ushort)(_available + (input.OneIn(16) ? input.U16() : 1)));
        _guest.Write16(available + 2, _available);
    }

    private void Describe(ref InputReader input, ulong table, int index, ulong address, uint length, ushort flags)
    {
        Span<byte> bytes = stackalloc byte[16];
        BitConverter.TryWriteBytes(bytes, input.OneIn(16) ? input.Edge() : address);
        BitConverter.TryWriteBytes(bytes[8..], input.OneIn(12) ? input.Edge32() : length);
        BitConverter.TryWriteBytes(bytes[12..], input.OneIn(16) ? input.U16() : flags);
        BitConverter.TryWriteBytes(bytes[14..], input.OneIn(16) ? input.U16() : (ushort)(index + 1));
        _guest.Write(table + (16ul * (uint)index), bytes);
    }

    private ulong AskFeatures(FdHandle socket)
    {
        VhostUserCodec.WriteHeader(_bytes, new MessageHeader(FrontendRequest.GetFeatures, MessageFlags.Version1, 0));
        int have = UnixSocket.Send(socket.Number, _bytes.AsSpan(0, MessageHeader.SizeBytes), []) < 0 ? -1 : Read(socket, MessageHeader.SizeBytes + sizeof(ulong));
        return have < 0 ? 0 : VhostUserCodec.ReadValue(_bytes.AsSpan(MessageHeader.SizeBytes));
    }

    // An answer to anything, or the end of the connection: both show that somebody is there.
    private bool IsAnswering(FdHandle socket)
    {
        VhostUserCodec.WriteHeader(_bytes, new MessageHeader(FrontendRequest.GetFeatures, MessageFlags.Version1, 0));
        if (UnixSocket.Send(socket.Number, _bytes.AsSpan(0, MessageHeader.SizeBytes), []) < 0)
        {
            return true;
        }

        _ = UnixSocket.ShutdownWrite(socket.Number); // half a message is no reason to wait for the other half
        _ = Poll.Wait(socket.Number, PollEvents.Readable, AnswerLimitMilliseconds, out PollEvents found);
        return found != PollEvents.None;
    }

    private int Read(FdHandle socket, int count)
    {
        int have = 0;
        while (have < count)
        {
            _ = Poll.Wait(socket.Number, PollEvents.Readable, AnswerLimitMilliseconds, out PollEvents found);
            int got = found == PollEvents.None ? -1 : FdIo.Read(socket.Number, _bytes.AsSpan(have, count - have));
            if (got <= 0)
            {
                return -1;
            }

            have += got;
        }

        return have;
    }
}
