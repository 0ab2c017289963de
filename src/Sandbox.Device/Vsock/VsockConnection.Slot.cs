using Sandbox.Virtio.Vsock;

namespace Sandbox.Device.Vsock;

/// <content>A connection as a slot that serves one after another, each with a socket of its own, which the slot owns.</content>
internal sealed partial class VsockConnection
{
    /// <summary>A slot whose first socket, the slot's from now on, waits for the guest.</summary>
    public static VsockConnection Slot(uint hostPort, int socket) => new(hostPort, socket) { IsSlot = true };

    /// <summary>Slots that are free.</summary>
    public static void FillSlots(Span<VsockConnection> slots)
    {
        byte[] store = ByteRing.NewStore(slots.Length * BufferBytes);
        for (int index = 0; index < slots.Length; index++)
        {
            slots[index] = new(0, -1, buffer: new ByteRing(store, index * BufferBytes, BufferBytes)) { IsSlot = true, Phase = VsockPhase.Free };
        }
    }

    /// <summary>It serves again when a connection has ended.</summary>
    public bool IsSlot { get; private init; }

    /// <summary>The host port of its connection, or of the socket that waits.</summary>
    public uint HostPort => _hostPort;

    /// <summary>When the guest came, among those that wait for a socket.</summary>
    public long Turn { get; private set; }

    /// <summary>Both sides have ended and the guest has been told: its socket can go.</summary>
    public bool IsOver => IsSlot && Phase == VsockPhase.Closed && _pending == VsockPending.None;

    /// <summary>A guest program connects, and there is no socket for it. The caller has seen that the slot is free.</summary>
    public void Want(in VsockPacketHeader request, long turn)
    {
        _hostPort = request.DestinationPort;
        GuestPort = request.SourcePort;
        _credit.Learn(request.BufferBytes, request.ForwardedBytes);
        Turn = turn;
        Phase = VsockPhase.Wanted;
    }

    /// <summary>The launcher's answer to what is wanted: a socket as of a connection, now the slot's, or -1.</summary>
    public void Give(int connected)
    {
        if (connected < 0)
        {
            Abort();
            return;
        }

        _socket = connected;
        _pending = VsockPending.Response;
        Begin();
    }

    /// <summary>A packet of a guest program that waits. It may change its mind, or come once more from the same port: it waits on in its turn.</summary>
    public void AcceptWanted(in VsockPacketHeader header)
    {
        switch (header.Operation)
        {
            case VsockOperation.Reset:
                Disconnect();
                break;
            case VsockOperation.Request:
                _credit.Learn(header.BufferBytes, header.ForwardedBytes);
                break;
            default:
                Abort();
                break;
        }
    }

    /// <summary>The guest begins anew between these ports: what has ended between them has nothing more to say.</summary>
    public void DropReset(in VsockPacketHeader request)
    {
        if (Phase is VsockPhase.Draining or VsockPhase.Closed && request.DestinationPort == _hostPort && request.SourcePort == GuestPort)
        {
            _pending = VsockPending.None;
        }
    }

    /// <summary>What is over is free again. Its socket, or -1: the caller's to close.</summary>
    public int Release()
    {
        int ended = _socket;
        _buffer.Clear();
        _credit = default;
        _guestShutdown = VsockShutdown.None;
        (_forwarded, _forwardedTold) = (0, 0);
        (_endOfSocket, _carriedData, _mayRead, _mayWrite) = (false, false, false, false);
        _socket = -1;
        Phase = VsockPhase.Free;
        return ended;
    }
}
