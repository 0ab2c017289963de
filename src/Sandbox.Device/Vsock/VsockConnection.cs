using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Virtio.Vsock;

namespace Sandbox.Device.Vsock;

/// <summary>
/// A stream connection of the guest bridged to one socket (virtio 1.2 §5.10.6), or a slot for one. Knows nothing of
/// queues: it takes the guest's packets, and says which packet it wants to send next.
/// </summary>
/// <param name="hostPort">The port that the guest connects to, or the guest's own that it is asked for.</param>
/// <param name="socket">A connected, non-blocking AF_UNIX stream socket.</param>
/// <param name="guestListens">The guest does not ask, it is asked: this side begins, from a port with the same number.</param>
/// <param name="buffer">Of <see cref="BufferBytes"/>; null: one of its own.</param>
internal sealed partial class VsockConnection(uint hostPort, int socket, bool guestListens = false, ByteRing? buffer = null)
{
    /// <summary>buf_alloc: what the guest may have under way to the socket.</summary>
    internal const int BufferBytes = 256 * 1024;

    // Told before the guest can run dry: with a quarter outstanding it still has three quarters to use.
    private const uint CreditUpdateBytes = BufferBytes / 4;

    /// <summary>Whether anybody listens shows only when the guest is asked: at first soon again, then once a second.</summary>
    private const long FirstPauseNanoseconds = 50_000_000;

    private const long LongestPauseNanoseconds = 1_000_000_000;
    private const long NanosecondsPerMillisecond = 1_000_000;

    /// <summary>A guest short of memory may lose its answer.</summary>
    private const long AnswerLimitNanoseconds = 5_000_000_000;

    private readonly ByteRing _buffer = buffer ?? new ByteRing(BufferBytes);
    private uint _hostPort = hostPort;
    private int _socket = socket;
    private VsockCredit _credit;
    private VsockPending _pending;
    private VsockShutdown _guestShutdown;
    private uint _forwarded;
    private uint _forwardedTold;
    private bool _endOfSocket;
    private bool _carriedData;
    private bool _mayRead;
    private bool _mayWrite;
    private long _askAt;
    private long _answerBy;
    private long _pause = FirstPauseNanoseconds;

    public VsockPhase Phase { get; private set; }

    public uint GuestPort { get; private set; } = guestListens ? hostPort : 0;

    public int Socket => _socket;

    /// <summary>The guest is to be asked for its port when the time has come.</summary>
    public bool WantsToAsk => guestListens && Phase == VsockPhase.Waiting && _pending == VsockPending.None;

    /// <summary>In how many milliseconds it is to ask, or gives an answer up, rounded up; <see cref="int.MaxValue"/>: time does not matter to it.</summary>
    public int DueMilliseconds(long now)
    {
        long due = Phase == VsockPhase.Asked ? _answerBy : WantsToAsk ? _askAt : long.MaxValue;
        return due == long.MaxValue ? int.MaxValue : (int)Math.Max(0, (due - now + NanosecondsPerMillisecond - 1) / NanosecondsPerMillisecond);
    }

    /// <summary>Whether a packet of this host port and that guest port is this connection's.</summary>
    public bool IsOf(in VsockPacketHeader header) =>
        Phase is VsockPhase.Connected or VsockPhase.Asked or VsockPhase.Wanted && header.DestinationPort == _hostPort && header.SourcePort == GuestPort;

    /// <summary>Whether the packet asks for this port, and it is free.</summary>
    public bool IsAskedBy(in VsockPacketHeader header) =>
        !guestListens && Phase == VsockPhase.Waiting && header.DestinationPort == _hostPort && header.Operation == VsockOperation.Request;

    /// <summary>A packet other than data waits for a receive buffer.</summary>
    public bool HasPending => _pending != VsockPending.None;

    /// <summary>The socket has, or may have, bytes that the guest may be sent.</summary>
    public bool MaySendData => Phase == VsockPhase.Connected && _mayRead && !_endOfSocket && _credit.AvailableBytes != 0
        && (_guestShutdown & VsockShutdown.Receive) == 0;

    /// <summary>Bytes that the guest can take now.</summary>
    public uint CreditBytes => _credit.AvailableBytes;

    /// <summary>Nothing is to be read until the socket says so.</summary>
    public bool WaitsForReadable => Phase == VsockPhase.Connected && !_mayRead && !_endOfSocket && (_guestShutdown & VsockShutdown.Receive) == 0;

    /// <summary>Bytes of the guest wait until the socket takes more.</summary>
    public bool WaitsForWritable => Phase is VsockPhase.Connected or VsockPhase.Draining && !_mayWrite && _buffer.Count != 0;

    /// <summary>A guest program connects. The caller has seen that the phase is <see cref="VsockPhase.Waiting"/>.</summary>
    public void Open(in VsockPacketHeader request)
    {
        GuestPort = request.SourcePort;
        _pending = VsockPending.Response;
        Begin(request);
    }

    /// <summary>Asks the guest for its port, if that is to be done by now.</summary>
    /// <param name="now">In nanoseconds, never going back.</param>
    public void AskIfDue(long now)
    {
        if (Phase == VsockPhase.Asked && now >= _answerBy)
        {
            Phase = VsockPhase.Waiting; // an answer after this finds no connection, and is reset
        }

        if (WantsToAsk && now >= _askAt)
        {
            _pending = VsockPending.Request;
            _askAt = now + _pause;
            _answerBy = now + AnswerLimitNanoseconds;
            _pause = Math.Min(2 * _pause, LongestPauseNanoseconds);
        }
    }

    /// <summary>The guest answers a request. A reset means that nobody listens yet: it is asked again.</summary>
    public void Answer(in VsockPacketHeader answer)
    {
        switch (answer.Operation)
        {
            case VsockOperation.Response:
                Begin(answer);
                break;
            case VsockOperation.Reset:
                Phase = VsockPhase.Waiting;
                break;
            default:
                Phase = VsockPhase.Connected; // so that it is told
                Abort();
                break;
        }
    }

    /// <summary>A packet of the connected guest port. <paramref name="data"/> holds exactly the bytes that the header announces.</summary>
    public void Accept(in VsockPacketHeader header, GuestVector data)
    {
        _credit.Learn(header.BufferBytes, header.ForwardedBytes);
        switch (header.Operation)
        {
            case VsockOperation.Data:
                AcceptData(data);
                break;
            case VsockOperation.CreditUpdate:
                break;
            case VsockOperation.CreditRequest:
                _pending |= VsockPending.CreditUpdate;
                break;
            case VsockOperation.Shutdown:
                AcceptShutdown(header.Flags & VsockShutdown.Both);
                break;
            case VsockOperation.Reset:
                Disconnect();
                break;
            default:
                Abort(); // a second request, a response that nobody asked for, an unknown operation
                break;
        }
    }

    /// <summary>The socket changed.</summary>
    public void Ready(bool readable, bool writable)
    {
        _mayRead |= readable;
        if (writable)
        {
            _mayWrite = true;
            Drain();
        }
    }

    /// <summary>
    /// The guest's side is over without a word: a reset, or its driver was reset. A connection that has carried nothing may be
    /// made again: a guest that gave up waiting for our response on a busy host tries once more.
    /// </summary>
    public void Disconnect()
    {
        bool unused = !_carriedData && !_endOfSocket && _guestShutdown == VsockShutdown.None;
        if (Phase is VsockPhase.Waiting or VsockPhase.Asked || (Phase == VsockPhase.Connected && unused))
        {
            Phase = VsockPhase.Waiting;
            _pending = VsockPending.None;
            _credit = default;
        }
        else if (Phase == VsockPhase.Connected)
        {
            Phase = VsockPhase.Draining;
            _pending = VsockPending.None;
            _guestShutdown = VsockShutdown.Both;
            _ = UnixSocket.ShutdownRead(_socket); // who writes to the other end learns that nobody reads it
            Drain();
        }
        else
        {
            Phase = Phase == VsockPhase.Wanted ? VsockPhase.Closed : Phase;
            _pending = VsockPending.None; // nobody is left who would want a reset
        }
    }

    /// <summary>Ends both sides at once: the guest gets a reset, the socket its end of file, bytes on the way are dropped.</summary>
    public void Abort()
    {
        _buffer.Clear();
        _pending = Phase is VsockPhase.Connected or VsockPhase.Wanted ? VsockPending.Reset : _pending & VsockPending.Reset; // a clean end's may be still to come
        Phase = VsockPhase.Closed;
        if (_socket >= 0)
        {
            _ = UnixSocket.ShutdownWrite(_socket);
            _ = UnixSocket.ShutdownRead(_socket);
        }
    }

    /// <summary>Takes the next packet to send that is not data, with the header's operation and flags.</summary>
    public bool TryTakePending(out VsockOperation operation, out VsockShutdown flags)
    {
        flags = VsockShutdown.None;
        operation = VsockOperation.Invalid;
        if (TryTake(VsockPending.Reset))
        {
            operation = VsockOperation.Reset;
        }
        else if (TryTake(VsockPending.Request))
        {
            operation = VsockOperation.Request;
            Phase = VsockPhase.Asked;
        }
        else if (TryTake(VsockPending.Response))
        {
            operation = VsockOperation.Response;
        }
        else if (TryTake(VsockPending.CreditRequest))
        {
            operation = VsockOperation.CreditRequest;
        }
        else if (TryTake(VsockPending.CreditUpdate))
        {
            operation = VsockOperation.CreditUpdate;
        }
        else if (TryTake(VsockPending.Shutdown))
        {
            operation = VsockOperation.Shutdown;
            flags = VsockShutdown.Send;
        }

        return operation != VsockOperation.Invalid;
    }

    /// <summary>Receives from the socket straight into a guest buffer: the count, 0 when there is nothing to send.</summary>
    public uint ReceiveInto(GuestVector room)
    {
        room.LimitTo(_credit.AvailableBytes);
        long count = room.Receive(_socket);
        if (count > 0)
        {
            _carriedData = true;
            _credit.Spend((uint)count);
            if (_credit.AvailableBytes == 0)
            {
                _pending |= VsockPending.CreditRequest;
            }

            return (uint)count;
        }

        _mayRead = false;
        if (count == 0)
        {
            _endOfSocket = true;
            _pending |= VsockPending.Shutdown;
        }
        else if (count != -(int)Errno.EAGAIN)
        {
            Abort();
        }

        return 0;
    }

    /// <summary>The header of a packet of this connection; every header tells the guest how far its bytes have come.</summary>
    public VsockPacketHeader Header(ulong guestCid, VsockOperation operation, VsockShutdown flags, uint lengthBytes)
    {
        _forwardedTold = _forwarded;
        _pending &= ~VsockPending.CreditUpdate;
        return new VsockPacketHeader(
            VsockPacketHeader.HostCid, guestCid, _hostPort, GuestPort, lengthBytes, VsockPacketHeader.StreamType, operation, flags, BufferBytes, _forwarded);
    }

    private void AcceptData(GuestVector data)
    {
        // More than it was told there is room for, or data after "I will send no more": it does not keep to the protocol.
        if ((_guestShutdown & VsockShutdown.Send) != 0 || data.LengthBytes > (ulong)_buffer.Room)
        {
            Abort();
            return;
        }

        _carriedData |= !data.IsEmpty;
        if (_buffer.Count == 0 && _mayWrite && !data.IsEmpty)
        {
            Forwarded(data.Send(_socket));
        }

        if (Phase == VsockPhase.Connected && !data.IsEmpty)
        {
            _buffer.Take(data);
            Drain();
        }
    }

    private void AcceptShutdown(VsockShutdown flags)
    {
        _guestShutdown |= flags;
        if (_guestShutdown == VsockShutdown.Both)
        {
            // A clean end (§5.10.6.5.1): everything the guest sent is in our hands, so it may forget the connection.
            Disconnect();
            _pending = VsockPending.Reset;
        }
        else
        {
            if (_guestShutdown == VsockShutdown.Receive)
            {
                _ = UnixSocket.ShutdownRead(_socket);
            }

            Drain();
        }
    }

    // Moves what the guest sent towards the socket, and passes on its end when the last byte has gone.
    private void Drain()
    {
        while (Phase is VsockPhase.Connected or VsockPhase.Draining && _mayWrite && _buffer.Count != 0)
        {
            Forwarded(_buffer.SendTo(_socket));
        }

        if (_buffer.Count == 0 && (_guestShutdown & VsockShutdown.Send) != 0 && Phase is VsockPhase.Connected or VsockPhase.Draining)
        {
            _ = UnixSocket.ShutdownWrite(_socket);
            Phase = Phase == VsockPhase.Draining ? VsockPhase.Closed : Phase;
        }
    }

    private void Forwarded(long count)
    {
        if (count == -(int)Errno.EAGAIN)
        {
            _mayWrite = false;
            return;
        }

        if (count < 0)
        {
            Abort(); // nobody reads the other end any more
            return;
        }

        _forwarded = unchecked(_forwarded + (uint)count);
        if (Phase == VsockPhase.Connected && unchecked(_forwarded - _forwardedTold) >= CreditUpdateBytes)
        {
            _pending |= VsockPending.CreditUpdate;
        }
    }

    // Both sides have said that they are there; this is what the guest said of its buffer.
    private void Begin(in VsockPacketHeader header)
    {
        _credit.Learn(header.BufferBytes, header.ForwardedBytes);
        Begin();
    }

    private void Begin()
    {
        Phase = VsockPhase.Connected;
        _mayRead = true;
        _mayWrite = true;
    }

    private bool TryTake(VsockPending packet)
    {
        bool has = (_pending & packet) != 0;
        _pending &= ~packet;
        return has;
    }
}
