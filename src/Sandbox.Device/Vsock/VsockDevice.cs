using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Memory;
using Sandbox.Virtio;
using Sandbox.Virtio.Vsock;

namespace Sandbox.Device.Vsock;

/// <summary>
/// virtio-vsock (virtio 1.2 §5.10): the guest connects to CID 2 at a mapped port, or is asked for a port of its own, and the connection is bridged to a
/// socket: an inherited one, or of further connections to a mapped port, one that the launcher makes. No vhost-vsock, no host kernel code on the path. Every queue of packets is bounded; a full one stops what fills it.
/// </summary>
internal sealed class VsockDevice : VirtioDevice
{
    /// <summary>The most connections to mapped ports at once, those that have not begun and those that have not quite ended among them, beside the first of each port.</summary>
    internal const int Slots = 64;

    private const int ReceiveQueue = 0;
    private const int TransmitQueue = 1;
    private const int QueueCount = 3; // and the event queue, on which nothing is ever reported: there is no migration
    private const int PacketsPerTurn = 128;

    private readonly ulong _guestCid;
    private readonly BackingWatch _watch;
    private readonly Func<long>? _clock;
    private readonly VsockConnection[] _connections;
    private readonly SocketRequests? _requests;
    private readonly ResetQueue _resets = new();
    private readonly DescriptorChain _receive = new();
    private readonly DescriptorChain _transmit = new();
    private readonly GuestVector _headerRoom = new(GuestVector.MaxCapacity);
    private readonly byte[] _header = new byte[VsockPacketHeader.SizeBytes];
    private readonly byte[] _configSpace = new byte[VsockConfigSpace.SizeBytes];
    private int _live; // behind the last that is not free: what comes after needs no look
    private int _nextConnection;
    private int _waitMilliseconds = -1;
    private long _now;

    /// <param name="guestCid">The guest's context id.</param>
    /// <param name="connections">In the order of their fds' places in the watch.</param>
    /// <param name="watch">Of the sockets.</param>
    /// <param name="clock">In nanoseconds, never going back; null where the guest is asked for no port.</param>
    /// <param name="requests">For sockets beyond those that are there; null: there are none.</param>
    internal VsockDevice(ulong guestCid, VsockConnection[] connections, BackingWatch watch, Func<long>? clock, SocketRequests? requests = null)
        : base(QueueCount)
    {
        _requests = requests;
        _guestCid = guestCid;
        _connections = connections;
        _watch = watch;
        _clock = clock;
        _live = connections.Length;
        VsockConfigSpace.Write(_configSpace, guestCid);
    }

    public override ulong OfferedFeatures =>
        VirtioFeatureBits.Version1 | VirtioFeatureBits.RingIndirectDescriptors | VirtioFeatureBits.RingEventIndex;

    public override ReadOnlySpan<byte> ConfigSpace => _configSpace;

    public override int WaitMilliseconds => _waitMilliseconds;

    private ReadOnlySpan<VsockConnection> Live => _connections.AsSpan(0, _live);

    /// <summary>A device whose port i is bridged to the connected socket <paramref name="firstSocket"/> + i: the host's ports first, then the guest's own.</summary>
    public static VsockDevice Create(DeviceLaunchSpec spec, int firstSocket, BackingWatch watch, ControlSocket control)
    {
        int ports = spec.VsockPorts.Count + spec.VsockGuestPorts.Count;
        SocketRequests? requests = SocketRequests.For(control, spec.VsockPorts);
        VsockConnection[] connections = new VsockConnection[ports + (requests is null ? 0 : Slots)];
        VsockConnection.FillSlots(connections.AsSpan(ports));
        for (int index = 0; index < ports; index++)
        {
            int socket = firstSocket + index;
            LinuxException.Check(FdIo.SetNonBlocking(socket, true), "fcntl vsock backing socket");
            bool guestListens = index >= spec.VsockPorts.Count;
            uint port = guestListens ? spec.VsockGuestPorts[index - spec.VsockPorts.Count] : spec.VsockPorts[index];
            connections[index] = !guestListens && SocketRequests.MayAsk(port) ? VsockConnection.Slot(port, socket) : new VsockConnection(port, socket, guestListens);
        }

        return new VsockDevice(spec.GuestCid, connections, watch, spec.VsockGuestPorts.Count == 0 ? null : TickClock.Start(), requests);
    }

    public override bool TryHearLauncher() => _requests?.TryTakeAnswer() == true;

    public override void BackingReady(int index, bool readable, bool writable) => _connections[index].Ready(readable, writable);

    public override void QueueStopped(int index)
    {
        if (index > TransmitQueue)
        {
            return;
        }

        // The driver is gone (reset, or a guest that starts again): its connections went with it.
        _resets.Clear();
        foreach (VsockConnection connection in Live)
        {
            connection.Disconnect();
        }

        Reap();
        Watch();
    }

    public override bool Work()
    {
        bool more = Transmit();
        _requests?.AskNext(Live);
        Ask();
        bool held = _resets.IsFull;
        more |= Receive();
        more |= held && !_resets.IsFull;
        _waitMilliseconds = _clock is null ? -1 : NextAsk();
        _receive.Clear();
        _transmit.Clear();
        _headerRoom.Clear();
        Queues[ReceiveQueue].Notify();
        Queues[TransmitQueue].Notify();
        Reap();
        Watch();
        return more;
    }

    // A guest is asked again and again until somebody listens there: a timer, not its kicks, says when.
    private void Ask()
    {
        if (_clock is null)
        {
            return;
        }

        _now = _clock();
        foreach (VsockConnection connection in Live)
        {
            connection.AskIfDue(_now);
        }
    }

    private int NextAsk()
    {
        int wait = int.MaxValue;
        foreach (VsockConnection connection in Live)
        {
            wait = Math.Min(wait, connection.DueMilliseconds(_now));
        }

        return wait == int.MaxValue ? -1 : wait;
    }

    // From the guest. True when there is more and nothing stands in its way.
    private bool Transmit()
    {
        DeviceQueue queue = Queues[TransmitQueue];
        queue.Ring.SuppressKicks();
        for (int done = 0; done < PacketsPerTurn; done++)
        {
            if (_resets.IsFull || !queue.Ring.TryPop(_transmit))
            {
                break;
            }

            Dispatch(_transmit.Readable);
            queue.Ring.Complete(_transmit.HeadIndex, 0);
        }

        return queue.Ring.EnableKicks() && !_resets.IsFull;
    }

    private void Dispatch(GuestVector packet)
    {
        if (!VsockPacketHeader.TryTake(packet, out VsockPacketHeader header))
        {
            return; // too short to say whose it is
        }

        VsockConnection? connection = Find(header);
        bool sound = header.Type == VsockPacketHeader.StreamType && (header.Operation != VsockOperation.Data || header.LengthBytes <= packet.LengthBytes);
        if (connection is { Phase: VsockPhase.Connected or VsockPhase.Wanted } && !sound)
        {
            connection.Abort();
        }
        else if (connection is null || !sound)
        {
            // An unknown type (§5.10.6.4.1), and whatever has no connection, is answered by a reset; a reset never is.
            if (header.Operation != VsockOperation.Reset)
            {
                _resets.Add(new PendingReset(header.DestinationCid, header.DestinationPort, header.SourcePort));
            }
        }
        else if (connection.Phase == VsockPhase.Waiting)
        {
            DropResets(header);
            connection.Open(header);
        }
        else if (connection.Phase == VsockPhase.Free)
        {
            DropResets(header);
            _requests!.Enter(connection, header); // Find gives one for nothing else
        }
        else if (connection.Phase == VsockPhase.Wanted)
        {
            connection.AcceptWanted(header);
        }
        else if (connection.Phase == VsockPhase.Asked)
        {
            connection.Answer(header);
        }
        else
        {
            packet.LimitTo(header.LengthBytes);
            connection.Accept(header, packet);
        }
    }

    // A connection begins anew between two ports: a reset of what was there before, of a connection or of none, would end it.
    private void DropResets(in VsockPacketHeader request)
    {
        _resets.Drop(request.DestinationPort, request.SourcePort);
        foreach (VsockConnection connection in Live)
        {
            connection.DropReset(request);
        }
    }

    // The connection that a packet belongs to, or the one that waits for it, or a free slot for what it asks for.
    private VsockConnection? Find(in VsockPacketHeader header)
    {
        if (header.SourceCid != _guestCid || header.DestinationCid != VsockPacketHeader.HostCid)
        {
            return null;
        }

        VsockConnection? waiting = null;
        foreach (VsockConnection connection in Live)
        {
            if (connection.IsOf(header))
            {
                return connection;
            }

            waiting = connection.IsAskedBy(header) ? connection : waiting;
        }

        return waiting ?? (_requests?.Serves(header) == true ? FindFree() : null);
    }

    private VsockConnection? FindFree()
    {
        Reap(); // what has ended since the last turn
        if (Array.Find(_connections, static slot => slot.Phase == VsockPhase.Free) is null
            && Array.Find(_connections, static slot => slot is { IsSlot: true, Phase: VsockPhase.Draining }) is { } stuck)
        {
            // The guest has ended it, and its program reads no further: it does not keep others from theirs.
            stuck.Abort();
            Reap();
        }

        int free = Array.FindIndex(_connections, static slot => slot.Phase == VsockPhase.Free);
        _live = Math.Max(_live, free + 1);
        return free < 0 ? null : _connections[free];
    }

    // Frees the slots whose connections are over, and closes their sockets.
    private void Reap()
    {
        for (int index = 0; index < _live; index++)
        {
            VsockConnection connection = _connections[index];
            if (connection is { IsSlot: true, Phase: VsockPhase.Waiting } && AnotherWaits(index))
            {
                connection.Abort();
            }

            if (connection.IsOver)
            {
                _watch.Set(index, connection.Socket, readable: false, writable: false);
                int socket = connection.Release();
                _ = socket >= 0 ? FdIo.Close(socket) : 0;
            }
        }

        while (_live > 0 && _connections[_live - 1].Phase == VsockPhase.Free)
        {
            _live--;
        }
    }

    // A port keeps one socket for its next guest, if one is left unused: a guest that gives up again and again does not fill the slots with them.
    private bool AnotherWaits(int index)
    {
        foreach (VsockConnection connection in _connections.AsSpan(0, index))
        {
            if (connection.Phase == VsockPhase.Waiting && connection.HostPort == _connections[index].HostPort)
            {
                return true;
            }
        }

        return false;
    }

    // To the guest. True when there is more and the guest has buffers.
    private bool Receive()
    {
        DeviceQueue queue = Queues[ReceiveQueue];
        queue.Ring.SuppressKicks();
        for (int done = 0; done < PacketsPerTurn; done++)
        {
            // Data first, but for a full queue: nothing is taken from the guest while it is, and a stream may go on for ever.
            VsockConnection? connection = _resets.IsFull ? null : NextWithSomethingToSend();
            if (connection is null && _resets.Count == 0)
            {
                return false;
            }

            if (!queue.Ring.TryPop(_receive))
            {
                // A kick for the next buffer; if one came meanwhile, come back for it.
                return queue.Ring.EnableKicks();
            }

            _headerRoom.Clear();
            if (!_receive.Writable.TryMoveTo(_headerRoom, VsockPacketHeader.SizeBytes) || _receive.Writable.IsEmpty)
            {
                queue.Ring.Fail(VirtqueueFault.RequestUnanswerable); // no room for a header and a byte
                return false;
            }

            Fill(queue.Ring, connection);
        }

        return true;
    }

    private void Fill(SplitVirtqueue ring, VsockConnection? connection)
    {
        if (connection is null)
        {
            PendingReset reset = _resets.Take();
            Send(ring, new VsockPacketHeader(
                reset.SourceCid, _guestCid, reset.SourcePort, reset.DestinationPort, 0, VsockPacketHeader.StreamType, VsockOperation.Reset, VsockShutdown.None, 0, 0));
            return;
        }

        uint length = connection.HasPending ? 0 : connection.ReceiveInto(_receive.Writable);
        if (length != 0)
        {
            Send(ring, connection.Header(_guestCid, VsockOperation.Data, VsockShutdown.None, length));
        }
        else if (connection.TryTakePending(out VsockOperation operation, out VsockShutdown flags))
        {
            Send(ring, connection.Header(_guestCid, operation, flags, 0));
        }
        else
        {
            ring.PutBack(_receive); // the socket had nothing after all
        }
    }

    private void Send(SplitVirtqueue ring, in VsockPacketHeader header)
    {
        header.Encode(_header);
        _ = _headerRoom.TryPut(_header); // exactly its size
        ring.Complete(_receive.HeadIndex, VsockPacketHeader.SizeBytes + header.LengthBytes);
    }

    // Round robin: a busy connection does not starve another.
    private VsockConnection? NextWithSomethingToSend()
    {
        for (int step = 0; step < _live; step++)
        {
            VsockConnection connection = _connections[(_nextConnection + step) % _live];
            if (connection.HasPending || connection.MaySendData)
            {
                _nextConnection = (_nextConnection + step + 1) % _live;
                return connection;
            }
        }

        return null;
    }

    private void Watch()
    {
        for (int index = 0; index < _live; index++)
        {
            VsockConnection connection = _connections[index];
            _watch.Set(index, connection.Socket, connection.WaitsForReadable, connection.WaitsForWritable);
        }
    }
}
