using Sandbox.Device.Vsock;
using Sandbox.Fuzz.Guest;
using Sandbox.Virtio.Vsock;

namespace Sandbox.Fuzz.Devices;

/// <summary>What the guest's programs know of their connections (virtio 1.2 §5.10.6), and so what the device may send them and must pass on.</summary>
internal sealed class VsockGuest(FuzzGuest guest, ulong cid, uint ownPort, uint deviceBytes)
{
    private const uint Told = VsockConnection.BufferBytes;
    private const int MaxTalks = 256;

    // Below this a queue that ends does not start again, and nobody says so.
    private const ulong RoomOfQueues = 0x4000;

    private readonly Dictionary<(uint Host, uint Guest), Ports> _ports = [];
    private readonly Dictionary<ushort, Packet> _underWay = []; // by the head of its chain
    private readonly List<VsockTalk> _talks = [];

    /// <summary>Every stop of a queue is known, and so which connections there are.</summary>
    public bool IsCertain => guest.Auditor.Strict && guest.Room >= RoomOfQueues;

    public bool IsFull => _talks.Count == MaxTalks - 1;

    /// <summary>What the device can hold of a connection to the port: what is told is the same for all.</summary>
    public uint RoomOf(uint hostPort) => hostPort is VsockPrograms.AgentPort or VsockPrograms.OwnPort ? deviceBytes : Told;

    public VsockTalk? Current(uint hostPort, uint guestPort) => _ports.GetValueOrDefault((hostPort, guestPort))?.Talk;

    /// <summary>Whose bytes begin so; null: nobody's.</summary>
    public VsockTalk? TalkOf(byte serial) => serial != 0 && serial <= _talks.Count ? _talks[serial - 1] : null;

    /// <summary>A packet was made available.</summary>
    /// <param name="head">Of its chain.</param>
    /// <param name="header">As the device will read it.</param>
    /// <param name="dataBytes">That really follow.</param>
    /// <param name="leave">How far the device may send from then on.</param>
    public void Send(ushort head, in VsockPacketHeader header, uint dataBytes, uint leave)
    {
        Ports ports = PortsOf(header.DestinationPort, header.SourcePort);
        VsockTalk? before = ports.Talk;
        if (header.SourceCid != cid || header.DestinationCid != VsockPacketHeader.HostCid)
        {
            Spoil(before); // its reset may look as if it were the connection's
            ports.Strayed = true;
            return;
        }

        bool sound = header.Type == VsockPacketHeader.StreamType && (header.Operation != VsockOperation.Data || header.LengthBytes <= dataBytes);
        uint accepted = 0;
        if (!sound)
        {
            Spoil(before);
        }
        else if (header.Operation is VsockOperation.Request or VsockOperation.Response)
        {
            Begin(ports, header);
        }
        else if (before is not null)
        {
            accepted = header.Operation == VsockOperation.Data ? header.LengthBytes : 0;
            GoOn(before, header, accepted, ports);
        }

        if (ports.Talk is { } talk)
        {
            talk.HighestLeave = Math.Max(talk.HighestLeave, leave);
        }

        ports.UnderWay++;
        _underWay[head] = new Packet(ports, ports.Talk, before, sound ? header.Operation : VsockOperation.Invalid, header.Flags, accepted, leave);
    }

    /// <summary>The device has given a packet back.</summary>
    public void Taken(ushort head)
    {
        if (!_underWay.Remove(head, out Packet? packet))
        {
            return;
        }

        packet.Ports.UnderWay--;
        if (packet.Operation is VsockOperation.Request or VsockOperation.Response)
        {
            Supersede(packet);
        }

        if (packet.Talk is not { } talk)
        {
            return;
        }

        talk.Taken += packet.AcceptedBytes;
        talk.Leave = packet.Leave;
        talk.HighestLeave = packet.Ports.UnderWay == 0 ? talk.Leave : talk.HighestLeave;
        bool reset = packet.Operation == VsockOperation.Reset;
        bool shutdown = packet.Operation == VsockOperation.Shutdown;
        talk.Ended |= reset || (shutdown && packet.Flags.HasFlag(VsockShutdown.Send));
        talk.Deaf |= reset || (shutdown && packet.Flags.HasFlag(VsockShutdown.Receive));
    }

    /// <summary>A packet has come.</summary>
    public void Receive(in VsockPacketHeader header, ReadOnlySpan<byte> data, VsockPrograms programs, bool honest)
    {
        bool own = header.SourcePort == ownPort && header.DestinationPort == ownPort;
        if (!_ports.TryGetValue((header.SourcePort, header.DestinationPort), out Ports? ports))
        {
            if (!own)
            {
                throw new FindingException("vsock: a packet came for ports that the guest has never used");
            }

            ports = PortsOf(header.SourcePort, header.DestinationPort);
        }

        VsockTalk? talk = ports.Talk;
        if (header.Operation == VsockOperation.Reset)
        {
            Reset(ports, programs);
            return;
        }

        if (header.SourceCid != VsockPacketHeader.HostCid || header.BufferBytes != Told)
        {
            throw new FindingException("vsock: a packet whose sender or buffer is another");
        }

        if (header.ForwardedBytes > (talk?.Sent ?? 0) || header.ForwardedBytes < (talk?.Program?.BytesRead ?? 0))
        {
            throw new FindingException($"vsock: {header.ForwardedBytes} bytes are told as forwarded; the guest has sent {talk?.Sent}, its program has read {talk?.Program?.BytesRead}");
        }

        if (header.Operation == VsockOperation.Request)
        {
            ports.Asked = own ? true : throw new FindingException("vsock: the guest is asked for a port that is not its own");
            _ = talk is not null && (talk.Established = false); // its answer came too late
            return;
        }

        if (talk is null)
        {
            throw new FindingException($"vsock: {header.Operation} came where there is no connection");
        }

        talk.ForwardedTold = header.ForwardedBytes;
        switch (header.Operation)
        {
            case VsockOperation.Response:
                talk.Established = true;
                ports.Owed = false;
                break;
            case VsockOperation.Data:
                Deliver(talk, data, programs, honest);
                break;
            case VsockOperation.Shutdown when talk.Program is { } program && (!program.WritesNoMore || program.Written != talk.Delivered):
                throw new FindingException("vsock: the guest is told of an end that its program has not made, or before the last byte");
            default:
                break;
        }
    }

    /// <summary>The device's queue has been stopped, and so every connection is over, but what is still under way to it may make others.</summary>
    public void Stopped(bool transmit)
    {
        foreach (Ports ports in _ports.Values)
        {
            bool known = transmit || ports.UnderWay == 0;
            ports.Owed = false;
            ports.Asked = false;
            ports.UnderWay = transmit ? 0 : ports.UnderWay;
            if (ports.Talk is { } talk)
            {
                talk.Established = false;
                talk.Spoilt |= !known;
                talk.Ended |= known;
                talk.Deaf |= known;
            }
        }

        if (transmit)
        {
            _underWay.Clear();
        }
    }

    /// <summary>Every program has read what there was to read.</summary>
    /// <param name="programs">Of the host's.</param>
    /// <param name="hasRoom">The device had buffers for its answers.</param>
    /// <param name="launcherOwes">A question to the launcher is open.</param>
    public void RequireEnd(VsockPrograms programs, bool hasRoom, bool launcherOwes)
    {
        foreach (VsockTalk talk in _talks)
        {
            VsockProgram? program = talk.Program;
            if (program is { ReadsNoMore: false, SawEnd: false } && talk.Ended)
            {
                throw new FindingException($"vsock: a program of port {talk.HostPort} that has had {program.BytesRead} of {talk.Taken} bytes is not told that its guest sends no more");
            }

            bool certain = !talk.Spoilt && !talk.MayLose && (program is not null || !talk.MayBeStale) && !programs.HasRefused(talk);
            if (certain && (program?.BytesRead ?? 0) < talk.Taken)
            {
                throw new FindingException($"vsock: of {talk.Taken} bytes that the guest sent, its program has had {program?.BytesRead ?? 0}");
            }
        }

        foreach (((uint host, uint _), Ports ports) in _ports)
        {
            if (ports is { Owed: true, UnderWay: 0 } && hasRoom && !(launcherOwes && VsockPrograms.IsAskable(host)))
            {
                throw new FindingException($"vsock: a request for port {host} is not answered");
            }
        }
    }

    private static void Spoil(VsockTalk? talk) => _ = talk is not null && (talk.Spoilt = true);

    private void Begin(Ports ports, in VsockPacketHeader header)
    {
        bool request = header.Operation == VsockOperation.Request;
        bool own = header.DestinationPort == ownPort && header.SourcePort == ownPort;
        VsockTalk talk = new((byte)(_talks.Count + 1), header.DestinationPort)
        {
            Spoilt = ports.Strayed || ports.UnderWay != 0 || ports.Talk is { Established: true },
            Established = own && !request && ports.Asked,
            MayBeStale = own,
        };
        Spoil(ports.Talk);
        _talks.Add(talk);
        ports.Talk = talk;
        ports.Asked = false;
        ports.Owed = request;
    }

    private void GoOn(VsockTalk talk, in VsockPacketHeader header, uint acceptedBytes, Ports ports)
    {
        bool reset = header.Operation == VsockOperation.Reset;
        talk.Spoilt |= !talk.Established && !reset;
        switch (header.Operation)
        {
            case VsockOperation.Data:
                talk.Spoilt |= talk.SendsNoMore || talk.Closing || talk.Sent - talk.ForwardedTold + acceptedBytes > RoomOf(header.DestinationPort);
                talk.Sent += acceptedBytes;
                break;
            case VsockOperation.Shutdown:
                talk.SendsNoMore |= header.Flags.HasFlag(VsockShutdown.Send);
                talk.ReceivesNoMore |= header.Flags.HasFlag(VsockShutdown.Receive);
                talk.Closing |= talk.SendsNoMore && talk.ReceivesNoMore;
                break;
            case VsockOperation.Reset:
                talk.Closing = true;
                ports.Owed = false;
                break;
            case VsockOperation.CreditUpdate or VsockOperation.CreditRequest:
                break;
            default:
                talk.Spoilt = true;
                break;
        }
    }

    // The one who asks ends what was between the two ports before; and where the slots are full, a connection that has ended makes room.
    private void Supersede(Packet packet)
    {
        if (packet.Before is { } before)
        {
            before.Ended = true;
        }

        foreach (VsockTalk talk in _talks)
        {
            talk.MayLose |= talk.Ended && VsockPrograms.IsAskable(talk.HostPort);
        }
    }

    private void Reset(Ports ports, VsockPrograms programs)
    {
        ports.Owed = false;
        if (ports.Talk is not { } talk)
        {
            return;
        }

        if (IsCertain && talk is { Established: true, Spoilt: false, Closing: false, MayBeStale: false } && !programs.HasRefused(talk))
        {
            throw new FindingException("vsock: a connection was reset of which nobody was tired");
        }

        talk.Established = false;
        if (!talk.Spoilt && !talk.MayBeStale)
        {
            talk.Deaf = true;
        }
    }

    private static void Deliver(VsockTalk talk, ReadOnlySpan<byte> data, VsockPrograms programs, bool honest)
    {
        uint delivered = talk.Delivered;
        talk.Delivered += (uint)data.Length;
        if (data.IsEmpty || talk.Deaf)
        {
            throw new FindingException("vsock: data without a byte, or to a guest that takes no more");
        }

        if (honest && talk.Delivered > talk.HighestLeave)
        {
            throw new FindingException($"vsock: {talk.Delivered} bytes were sent to a guest that gave leave for {talk.HighestLeave}");
        }

        if (delivered == 0)
        {
            VsockProgram program = programs.Of(data[0]) ?? throw new FindingException("vsock: bytes came to the guest that no program has written");
            program.Bind(talk);
        }

        if (talk.Program is not { } from || talk.Delivered > from.Written)
        {
            throw new FindingException("vsock: more came to the guest than its program has written");
        }

        VsockStream.Require(data, from.Serial, delivered, "the guest");
    }

    private Ports PortsOf(uint host, uint guestPort)
    {
        if (!_ports.TryGetValue((host, guestPort), out Ports? ports))
        {
            ports = new Ports();
            _ports.Add((host, guestPort), ports);
        }

        return ports;
    }

    /// <summary>What goes on between a port of the host's and one of the guest's.</summary>
    private sealed class Ports
    {
        public VsockTalk? Talk { get; set; }

        public int UnderWay { get; set; }

        /// <summary>The guest waits for an answer to a request.</summary>
        public bool Owed { get; set; }

        /// <summary>A packet between them was for another machine, or from one.</summary>
        public bool Strayed { get; set; }

        /// <summary>The device waits for one.</summary>
        public bool Asked { get; set; }
    }

    private sealed record Packet(
        Ports Ports, VsockTalk? Talk, VsockTalk? Before, VsockOperation Operation, VsockShutdown Flags, uint AcceptedBytes, uint Leave);
}
