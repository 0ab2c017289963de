using Sandbox.Control.Agent;
using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Virtio.Vsock;

namespace Sandbox.Device.Vsock;

/// <summary>
/// Sockets for connections beyond the first of a port: the launcher is asked, one question at a time, in the order in which the guest came. So at
/// most one is ever with the launcher, and what waits is bounded by the slots.
/// </summary>
/// <param name="control">The socket to the launcher.</param>
/// <param name="ports">The host's ports, as in the launch spec. The agent's is among them, and never asked for: it has one connection.</param>
internal sealed class SocketRequests(ControlSocket control, IReadOnlyList<uint> ports)
{
    private VsockConnection? _asking;
    private int _asked = -1; // the place of the port that the launcher has been asked for
    private long _turnAsked;
    private long _turns;

    /// <summary>Null: no port may be asked for, and nothing is heard of the launcher. Else its answers are expected from now on.</summary>
    public static SocketRequests? For(ControlSocket control, IReadOnlyList<uint> ports)
    {
        for (int place = 0; place < ports.Count; place++)
        {
            if (MayAsk(ports[place]))
            {
                control.ExpectAnswers();
                return new SocketRequests(control, ports);
            }
        }

        return null;
    }

    /// <summary>Whether a host's port has more connections than the inherited one.</summary>
    public static bool MayAsk(uint port) => port != AgentLimits.VsockPort;

    /// <summary>Whether the packet asks for a connection that the launcher could be asked for.</summary>
    public bool Serves(in VsockPacketHeader header) =>
        header.Operation == VsockOperation.Request && MayAsk(header.DestinationPort) && PlaceOf(header.DestinationPort) >= 0;

    /// <summary>A guest program waits from now on, in a free slot.</summary>
    public void Enter(VsockConnection slot, in VsockPacketHeader request) => slot.Want(request, _turns++);

    /// <summary>Asks for who has waited longest, unless a question is open.</summary>
    public void AskNext(ReadOnlySpan<VsockConnection> slots)
    {
        if (_asked >= 0)
        {
            return;
        }

        VsockConnection? first = null;
        foreach (VsockConnection slot in slots)
        {
            if (slot.Phase == VsockPhase.Wanted && (first is null || slot.Turn < first.Turn))
            {
                first = slot;
            }
        }

        if (first is not null)
        {
            _asking = first;
            _turnAsked = first.Turn;
            _asked = PlaceOf(first.HostPort);
            control.Ask(new VsockConnect(_asked));
        }
    }

    /// <summary>Takes the launcher's answer. False: the launcher is gone, or says something that it was not asked.</summary>
    public bool TryTakeAnswer()
    {
        if (!control.TryReceiveAnswer(out bool any, out VsockAnswer answer, out int socket))
        {
            return false;
        }

        if (!any)
        {
            return true;
        }

        bool asked = _asked >= 0 && answer.Port == _asked;
        // The guest may have changed its mind, or its driver may be gone; the slot may have been taken by another since.
        if (asked && _asking is { Phase: VsockPhase.Wanted } && _asking.Turn == _turnAsked)
        {
            _asking.Give(socket);
        }
        else if (socket >= 0)
        {
            _ = FdIo.Close(socket);
        }

        _asking = null;
        _asked = -1;
        return asked;
    }

    private int PlaceOf(uint port)
    {
        for (int place = 0; place < ports.Count; place++)
        {
            if (ports[place] == port)
            {
                return place;
            }
        }

        return -1;
    }
}
