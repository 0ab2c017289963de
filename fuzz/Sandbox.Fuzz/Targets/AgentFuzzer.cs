using System.Buffers.Binary;
using Sandbox.Control.Agent;
using Sandbox.Fuzz.Engine;

namespace Sandbox.Fuzz.Targets;

/// <summary>The host's end of the agent protocol: frames of a hostile guest, cut anywhere, with commands alive.</summary>
internal sealed class AgentFuzzer : IFuzzer
{
    // What one frame may cost: its text and the objects of one event.
    private const long FrameAllocationBytes = 4096;

    private static readonly byte[] Started = StartedBody();

    private static readonly AgentMessageType[] Usual =
    [
        AgentMessageType.Started, AgentMessageType.Data, AgentMessageType.Data, AgentMessageType.Data, AgentMessageType.Data, AgentMessageType.End,
        AgentMessageType.Credit, AgentMessageType.Exited,
    ];

    private const int DataPrefixBytes = DataMessage.PayloadOffset - AgentLimits.HeaderBytes;

    // What the guest's programs write: it has to come out as it went in, however the frames were cut.
    private static readonly byte[] Counting = [.. Enumerable.Range(0, AgentLimits.MaxDataBytes + 512).Select(static number => (byte)(number & 0xFF))];

    private readonly byte[] _frame = new byte[AgentLimits.MaxFrameBytes + 16];
    private readonly byte[] _underWay = new byte[2 * (AgentLimits.MaxFrameBytes + 16)];
    private int _underWayBytes;
    private int _pieceBytes; // the connection gives so many at once; 0: a frame
    private byte _firstData;
    private bool _torn; // a length is another than it should be: what is data to the host may be anything

    public string Name => "agent";

    public string Subject => "agent protocol, host side: frame reader, session, messages";

    public int MaxInputBytes => 512;

    public void Run(ReadOnlySpan<byte> bytes)
    {
        InputReader input = new(bytes);
        AgentFrameReader reader = new();
        HostSession session = new();
        AgentModel model = new();
        List<HostCommand> commands = [];
        _underWayBytes = 0;
        _firstData = 0;
        _torn = false;
        _pieceBytes = input.OneIn(3) ? 1 + (input.U16() % 9000) : 0;
        bool early = input.OneIn(8);
        if (!early)
        {
            // Up to Running: what matters most comes after.
            _ = Receive(reader, session, model, Make(AgentMessageType.Hello, [1, 0, 0, 0]));
            _ = session.TrySend(AgentMessageType.Configure);
            Span<byte> ready = stackalloc byte[16];
            _ = Receive(reader, session, model, Make(AgentMessageType.Ready, ready));
        }
        else if (input.OneIn(2))
        {
            // A guest whose boot fails: one message decides.
            _ = Receive(reader, session, model, Make(AgentMessageType.Hello, [1, 0, 0, 0]));
            _ = input.OneIn(2) && session.TrySend(AgentMessageType.Configure);
            Span<byte> failed = stackalloc byte[64];
            AgentMessageType type = input.OneIn(3) ? AgentMessageType.Ready : AgentMessageType.Failed;
            int length = Body(ref input, type, failed);
            _ = Receive(reader, session, model, Make(type, failed[..length]));
            return;
        }

        if (input.OneIn(2) && session.Begin(wantsInput: true) is { } first)
        {
            commands.Add(first);
            model.Began(first.Id);
            _ = Receive(reader, session, model, Make(AgentMessageType.Started, Started));
        }

        bool alive = true;
        while (!input.IsEmpty && alive)
        {
            switch (input.Below(8))
            {
                case 0:
                    if (session.Begin(wantsInput: input.OneIn(2)) is { } command)
                    {
                        commands.Add(command);
                        model.Began(command.Id);
                    }

                    break;
                case 1 when commands.Count != 0:
                    HostCommand consumer = commands[input.Below(Math.Min(commands.Count, 256))];
                    AgentStream stream = input.OneIn(2) ? AgentStream.Output : AgentStream.Error;
                    model.Consumed(consumer, stream, input.OneIn(2) ? input.Byte() : byte.MaxValue);
                    break;
                case 2 when commands.Count != 0 && input.OneIn(2):
                    model.Sent(commands[input.Below(Math.Min(commands.Count, 256))], input.OneIn(2) ? input.U16() * 4 : input.Byte());
                    break;
                case 2 when input.OneIn(16):
                    _ = session.TrySend(AgentMessageType.Shutdown);
                    break;
                case > 2 and < 7: // what a flood looks like
                    ReadOnlySpan<byte> data = [1, 0, 0, 0, (byte)(input.OneIn(4) ? 2 : 1), 0, 0, 0];
                    alive = Receive(reader, session, model, Make(AgentMessageType.Data, data, input.OneIn(4) ? input.Byte() : AgentLimits.MaxDataBytes));
                    break;
                default:
                    alive = SendFrame(ref input, reader, session, model);
                    break;
            }
        }

        _pieceBytes = 0;
        _ = alive && Receive(reader, session, model, []);
    }

    private bool SendFrame(ref InputReader input, AgentFrameReader reader, HostSession session, AgentModel model)
    {
        AgentMessageType type = input.OneIn(16) ? (AgentMessageType)input.U16() : input.OneIn(4) ? (AgentMessageType)(input.Byte() % 15) : input.Pick<AgentMessageType>(Usual);
        Span<byte> body = stackalloc byte[64];
        int length = Body(ref input, type, body);
        int right = length;
        length = input.OneIn(12) ? input.Below(body.Length) : length;
        _torn |= length > right;
        ReadOnlySpan<byte> frame = Make(type, body[..length]);
        if (type == AgentMessageType.Data && !input.OneIn(3))
        {
            int data = input.OneIn(2) ? AgentLimits.MaxDataBytes : input.OneIn(3) ? input.U16() % (AgentLimits.MaxDataBytes + 64) : input.Byte();
            frame = Make(type, body[..DataPrefixBytes], data);
        }

        if (input.OneIn(24))
        {
            BinaryPrimitives.WriteUInt32LittleEndian(_frame, input.Edge32());
            _torn = true;
        }

        if (input.OneIn(24))
        {
            _frame[6] = input.Byte();
        }

        return Receive(reader, session, model, frame);
    }

    private static int Body(ref InputReader input, AgentMessageType type, scoped Span<byte> body)
    {
        uint id = input.OneIn(10) ? input.Edge32() : input.OneIn(3) ? 1 + (uint)input.Below(3) : 1;
        BinaryPrimitives.WriteUInt32LittleEndian(body, id);
        switch (type)
        {
            case AgentMessageType.Hello:
                BinaryPrimitives.WriteUInt32LittleEndian(body, input.OneIn(4) ? input.Edge32() : 1);
                return 4;
            case AgentMessageType.Ready:
                input.Bytes(16).CopyTo(body);
                return 16;
            case AgentMessageType.ExecFailed:
                BinaryPrimitives.WriteInt32LittleEndian(body[4..], input.OneIn(3) ? unchecked((int)input.Edge32()) : 2);
                return 8;
            case AgentMessageType.Exited:
                BinaryPrimitives.WriteInt32LittleEndian(body[4..], input.OneIn(3) ? unchecked((int)input.Edge32()) : 0);
                BinaryPrimitives.WriteInt32LittleEndian(body[8..], input.OneIn(4) ? unchecked((int)input.Edge32()) : 0);
                return 12;
            case AgentMessageType.Failed:
                body[0] = input.Byte();
                BinaryPrimitives.WriteInt32LittleEndian(body[1..], input.OneIn(3) ? unchecked((int)input.Edge32()) : 2);
                int text = input.Below(20);
                BinaryPrimitives.WriteUInt16LittleEndian(body[5..], (ushort)(input.OneIn(6) ? input.U16() : text));
                input.Bytes(text).CopyTo(body[7..]);
                return 7 + text;
            case AgentMessageType.Started or AgentMessageType.ShutdownDone:
                return type == AgentMessageType.Started ? 8 - (input.OneIn(2) ? 4 : 0) : 0;
            case AgentMessageType.Data or AgentMessageType.End:
                bool isData = type == AgentMessageType.Data;
                BinaryPrimitives.WriteUInt32LittleEndian(body[4..], input.OneIn(8) ? isData ? input.Edge32() : input.Byte() : 1 + (uint)input.Below(2));
                return isData ? DataPrefixBytes : 5;
            case AgentMessageType.Credit:
                body[4] = input.OneIn(6) ? input.Byte() : (byte)0;
                BinaryPrimitives.WriteUInt32LittleEndian(body[5..], input.OneIn(2) ? input.Edge32() : 1 + (uint)input.Byte());
                return 9;
            default:
                input.Bytes(60).CopyTo(body[4..]);
                return 4 + input.Below(32);
        }
    }

    private ReadOnlySpan<byte> Make(AgentMessageType type, scoped ReadOnlySpan<byte> body, int dataBytes = 0)
    {
        int length = AgentLimits.HeaderBytes + body.Length + dataBytes;
        BinaryPrimitives.WriteUInt32LittleEndian(_frame, (uint)length);
        BinaryPrimitives.WriteUInt16LittleEndian(_frame.AsSpan(4), (ushort)type);
        BinaryPrimitives.WriteUInt16LittleEndian(_frame.AsSpan(6), 0);
        body.CopyTo(_frame.AsSpan(AgentLimits.HeaderBytes));
        _firstData = unchecked((byte)(_firstData + 1));
        Counting.AsSpan(_firstData, dataBytes).CopyTo(_frame.AsSpan(AgentLimits.HeaderBytes + body.Length));
        return _frame.AsSpan(0, length);
    }

    // As the connection gives it: a frame at once, or what is under way in pieces that know nothing of frames.
    private bool Receive(AgentFrameReader reader, HostSession session, AgentModel model, ReadOnlySpan<byte> frame)
    {
        frame.CopyTo(_underWay.AsSpan(_underWayBytes));
        _underWayBytes += frame.Length;
        int piece = _pieceBytes == 0 ? _underWayBytes : _pieceBytes;
        int given = 0;
        bool alive = true;
        for (; alive && _underWayBytes - given >= piece && given < _underWayBytes; given += piece)
        {
            alive = ReceivePiece(reader, session, model, _underWay.AsSpan(given, piece));
        }

        _underWayBytes -= given;
        _underWay.AsSpan(given, _underWayBytes).CopyTo(_underWay);
        return alive;
    }

    private bool ReceivePiece(AgentFrameReader reader, HostSession session, AgentModel model, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            Span<byte> free = reader.Free;
            if (free.IsEmpty)
            {
                throw new FindingException("agent: no room to receive into, and no frame either");
            }

            int count = Math.Min(free.Length, bytes.Length);
            bytes[..count].CopyTo(free);
            reader.Received(count);
            bytes = bytes[count..];
            long before = Allocation.Now;
            while (reader.TryTake(out AgentFrame frame))
            {
                AgentFault fault = session.Receive(frame, out HostEvent received);
                Allocation.Require(before, FrameAllocationBytes, $"an agent frame of type {frame.Type}");
                before = Allocation.Now;
                Reached.Note(1, ((int)frame.Type << 6) | (int)fault);
                model.Judge(frame, fault, received);
                if (!_torn && !received.Data.IsEmpty && !received.Data.SequenceEqual(Counting.AsSpan(received.Data[0], received.Data.Length)))
                {
                    throw new FindingException($"agent: {received.Data.Length} bytes came out in another order than they went in");
                }

                if (fault != AgentFault.None)
                {
                    return false;
                }

                before = Allocation.Now;
            }

            Reached.Note(2, (int)reader.Fault);
            if (reader.Fault != AgentFault.None)
            {
                return false;
            }
        }

        return true;
    }

    private static byte[] StartedBody()
    {
        byte[] frame = new byte[64];
        return frame[AgentLimits.HeaderBytes..new StartedMessage(1).Encode(frame)];
    }
}
