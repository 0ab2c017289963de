using System.Buffers.Binary;
using Sandbox.Agent;
using Sandbox.Control.Agent;
using Sandbox.Fuzz.Engine;

namespace Sandbox.Fuzz.Targets;

/// <summary>The other end of an agent connection: what a guest writes, cut anywhere, and what it finds when it reads.</summary>
/// <param name="client">The host's end, whose two threads do not run: this class does what they do.</param>
/// <param name="wire">Room for what is on its way to the host.</param>
internal sealed class ClientGuest(AgentClient client, byte[] wire)
{
    private readonly AgentFrameReader _reader = new();
    private readonly Queue<(int End, AgentMessageType Type, ClientCommand? Command, int Stream, int Bytes)> _told = [];
    private int _written;
    private int _fed;
    private uint _lastExec;
    private bool _configured;

    /// <summary>Every command there has been, by its place id - 1; null where the host kept the id to itself.</summary>
    public List<ClientCommand?> Commands { get; } = [];

    /// <summary>The guest has broken the protocol, or its boot failed: the host must end it.</summary>
    public bool Broken { get; private set; }

    /// <summary>The host does not listen any more.</summary>
    public bool Over { get; private set; }

    /// <summary>What the guest wrote last may be anything: nothing is known from here on.</summary>
    public bool Blind { get; private set; }

    public bool HasToldStop { get; private set; }

    /// <summary>That word has come.</summary>
    public bool Stopped { get; private set; }

    public bool ShutdownSeen { get; private set; }

    /// <summary>Byte n of every stream.</summary>
    public static ReadOnlySpan<byte> Counting(int from, int count) => s_counting.AsSpan(from % 251, count);

    public void Tell(AgentMessageType type, scoped ReadOnlySpan<byte> body, ClientCommand? command = null, int stream = 0, int bytes = 0, bool breaks = false)
    {
        Span<byte> frame = Frame(type, body.Length);
        body.CopyTo(frame);
        _told.Enqueue((_written, breaks ? AgentMessageType.None : type, command, stream, bytes));
    }

    public void TellData(ClientCommand command, int stream, int count, bool breaks)
    {
        Span<byte> body = Frame(AgentMessageType.Data, 8 + count);
        BinaryPrimitives.WriteUInt32LittleEndian(body, command.Id);
        BinaryPrimitives.WriteUInt32LittleEndian(body[4..], (uint)stream);
        Counting(command.Streams[stream].Told, count).CopyTo(body[8..]);
        command.Streams[stream].Told += count;
        _told.Enqueue((_written, breaks ? AgentMessageType.None : AgentMessageType.Data, command, stream, count));
    }

    /// <summary>The guest's last word: whatever came after it would break the protocol.</summary>
    public void TellStop()
    {
        HasToldStop = true;
        Tell(AgentMessageType.ShutdownDone, []);
    }

    /// <summary>Bytes without a meaning that is known here.</summary>
    public void TellNoise(ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        bytes.CopyTo(wire.AsSpan(_written));
        _written += bytes.Length;
        Blind = true;
    }

    /// <summary>The host receives some of it. False: it does not listen any more.</summary>
    public bool Feed(int most)
    {
        while (most > 0 && _fed < _written && !Over)
        {
            Span<byte> free = _reader.Free;
            Require(!free.IsEmpty, "there is no room to receive into");
            int count = Math.Min(Math.Min(most, free.Length), _written - _fed);
            wire.AsSpan(_fed, count).CopyTo(free);
            _reader.Received(count);
            _fed += count;
            most -= count;
            Over = !client.TakeFrames(_reader);
            while (!Broken && _told.TryPeek(out var frame) && frame.End <= _fed)
            {
                _ = _told.Dequeue();
                Apply(frame.Type, frame.Command, frame.Stream, frame.Bytes);
            }

            // A command whose request may wait is no sign of a guest that does not read; one that it has refused unread is.
            int beyond = client.QueuedBytes - FrameQueue.HardLimitBytes;
            bool deaf = beyond > 0 && beyond > Commands.Count(static command => command is { Phase: not HostCommandPhase.Over }) * AgentLimits.MaxFrameBytes;
            Require(Over || Blind || !deaf, $"{client.QueuedBytes} bytes wait for a guest that reads nothing, and it goes on");
            Require(Blind || Over == (Broken || deaf), Over ? "a guest that keeps to the protocol was ended" : "a guest that breaks the protocol goes on");
            Reached.Note(3, (Over ? 1 : 0) | (deaf ? 2 : 0) | (Broken ? 4 : 0));
        }

        if (_fed == _written && _told.Count == 0)
        {
            (_fed, _written) = (0, 0);
        }

        return !Over;
    }

    /// <summary>The guest reads what the host has queued.</summary>
    public void Read()
    {
        if (!client.TryTakeQueued(out ReadOnlyMemory<byte> frames))
        {
            Require(Over, "the connection was ended without a reason");
            return;
        }

        ReadOnlySpan<byte> rest = frames.Span;
        while (!rest.IsEmpty)
        {
            int length = (int)BinaryPrimitives.ReadUInt32LittleEndian(rest);
            Require(length is >= 8 and <= AgentLimits.MaxFrameBytes && rest[6] == 0 && rest[7] == 0, "a frame to the guest is none");
            Look((AgentMessageType)BinaryPrimitives.ReadUInt16LittleEndian(rest[4..]), rest[8..length]);
            rest = rest[length..];
        }
    }

    public static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new FindingException($"client: {what}");
        }
    }

    private void Apply(AgentMessageType type, ClientCommand? command, int stream, int bytes)
    {
        Reached.Note(1, (int)type);
        switch (type)
        {
            case AgentMessageType.None or AgentMessageType.Failed:
                Broken = true;
                break;
            case AgentMessageType.Started:
                command!.Phase = HostCommandPhase.Running;
                command.MustBeKilled = command.Abandoned;
                break;
            case AgentMessageType.ExecFailed or AgentMessageType.Exited:
                command!.Phase = HostCommandPhase.Over;
                command.InputOpen = false;
                command.ExecFailed = type == AgentMessageType.ExecFailed;
                break;
            case AgentMessageType.Data:
                command!.Streams[stream].Received += bytes;
                break;
            case AgentMessageType.End when stream == 0:
                command!.InputOpen = false;
                break;
            case AgentMessageType.End:
                command!.Streams[stream].Ended = true;
                break;
            case AgentMessageType.Credit:
                command!.Granted += bytes;
                break;
            case AgentMessageType.ShutdownDone:
                Stopped = true;
                break;
            default:
                break;
        }
    }

    private void Look(AgentMessageType type, ReadOnlySpan<byte> body)
    {
        Reached.Note(2, (int)type);
        if (type is AgentMessageType.Configure or AgentMessageType.Shutdown)
        {
            Require(type == AgentMessageType.Configure ? !_configured : !ShutdownSeen, $"{type} comes twice");
            _configured = true;
            ShutdownSeen = type == AgentMessageType.Shutdown;
            return;
        }

        uint id = BinaryPrimitives.ReadUInt32LittleEndian(body);
        ClientCommand? command = id != 0 && id <= Commands.Count ? Commands[(int)id - 1] : null;
        Require(command is not null && (type == AgentMessageType.Exec ? id > _lastExec : id <= _lastExec), $"{type} for command {id}");
        switch (type)
        {
            case AgentMessageType.Exec:
                _lastExec = id;
                break;
            case AgentMessageType.Data:
                int count = body.Length - 8;
                Require(BinaryPrimitives.ReadUInt32LittleEndian(body[4..]) == 0 && !command!.InputEndSeen, "input comes where there is none");
                Require(body[8..].SequenceEqual(Counting(command!.InputSeen, count)), "other input came than was written");
                command.InputSeen += count;
                Require(command.InputSeen - command.Granted <= AgentLimits.StreamWindowBytes, "more input came than there was leave for");
                break;
            case AgentMessageType.End when body[4] == 0:
                Require(!command!.InputEndSeen && command.InputSeen == command.InputWritten, "the end of input comes too early, or twice");
                command.InputEndSeen = true;
                break;
            case AgentMessageType.End:
                ClientStream refused = command!.Streams[body[4]];
                Require(refused.Closed && !refused.RefusalSeen, "an output is refused that is read, or twice");
                refused.RefusalSeen = true;
                break;
            case AgentMessageType.Credit:
                ClientStream stream = command!.Streams[body[4]];
                stream.Credited += (int)BinaryPrimitives.ReadUInt32LittleEndian(body[5..]);
                Require(stream.Credited <= stream.Gone, $"leave for {stream.Credited} bytes, but only {stream.Gone} have been taken");
                break;
            case AgentMessageType.Signal:
                command!.KillSeen |= body[4] == 9;
                break;
            default:
                Require(type == AgentMessageType.Resize, $"{type} comes to the guest");
                break;
        }
    }

    private Span<byte> Frame(AgentMessageType type, int body)
    {
        int length = AgentLimits.HeaderBytes + body;
        Reserve(length);
        Span<byte> frame = wire.AsSpan(_written, length);
        BinaryPrimitives.WriteUInt32LittleEndian(frame, (uint)length);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[4..], (uint)type);
        _written += length;
        return frame[AgentLimits.HeaderBytes..];
    }

    private void Reserve(int bytes)
    {
        if (_written + bytes > wire.Length)
        {
            _ = Feed(int.MaxValue);
            (_fed, _written) = (0, 0); // all has been heard, or nobody listens
            _told.Clear();
        }
    }

    private static readonly byte[] s_counting = [.. Enumerable.Range(0, 251 + AgentLimits.StreamWindowBytes).Select(static place => (byte)(place % 251))];
}
