using System.Buffers.Binary;
using Sandbox.Control.Launch;
using Sandbox.Fuzz.Devices;
using Sandbox.Fuzz.Engine;
using Sandbox.Linux;
using Sandbox.Runtime;

namespace Sandbox.Fuzz.Targets;

/// <summary>A device process or VMM that its guest has taken, against the launcher: what it says on its control socket, cut anywhere, and what it asks for.</summary>
internal sealed class InboxFuzzer : IFuzzer, IControlReceiver, IDisposable
{
    private const int HeaderBytes = 8;
    private const int MostFrameBytes = 1024;

    private readonly string _folder = Directory.CreateTempSubdirectory("fuzz-inbox").FullName;
    private readonly HostProgram[] _programs;
    private readonly FdHandle _nothing = EventFd.Create();
    private readonly ControlRow _row = new();
    private readonly byte[] _frame = new byte[MostFrameBytes];
    private readonly List<PhaseReached> _phases = [];
    private ConnectorBench? _bench;
    private Ready? _ready;
    private Ended? _ended;
    private int _phaseCount;
#pragma warning disable CA2213 // It owns nothing here: there is no child, and the fds are the bench's.
    private WatchedProcess _process = null!;
#pragma warning restore CA2213

    public InboxFuzzer() => _programs = [new HostProgram(Path.Combine(_folder, "first")), new HostProgram(Path.Combine(_folder, "second"))];

    public string Name => "inbox";

    public string Subject => "a taken process's control socket, launcher side: inbox, watched process, connector";

    public int MaxInputBytes => 384;

    public void Run(ReadOnlySpan<byte> bytes)
    {
        InputReader input = new(bytes);
        if (!input.OneIn(12))
        {
            Turns(ref input, mayAsk: false);
            return;
        }

        OpenFds? fds = input.OneIn(8) ? OpenFds.Before() : null; // to look costs as much as to ask
        using (_bench = new ConnectorBench(_programs, Path.Combine(_folder, "nobody")))
        {
            Turns(ref input, mayAsk: true);
        }

        fds?.RequireSame(Name);
    }

    public void Dispose()
    {
        Array.ForEach(_programs, static program => program.Dispose());
        _nothing.Dispose();
        _bench?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    void IControlReceiver.Received(Ready ready)
    {
        Require(Next(LaunchMessageType.Ready, out ReadOnlySpan<byte> content) && Ready.Decode(content, out Ready said) == LaunchFault.None && said == ready, "Ready was not said like that");
        _ready ??= ready;
        ((IControlReceiver)_process).Received(ready);
    }

    void IControlReceiver.Received(PhaseReached phase)
    {
        Require(Next(LaunchMessageType.Phase, out ReadOnlySpan<byte> content) && PhaseReached.Decode(content, out PhaseReached said) == LaunchFault.None && said == phase, "Phase was not said like that");
        _phaseCount++;
        ((IControlReceiver)_process).Received(phase);
        Require(_phases.Count == _phaseCount && _phases[^1] == phase, "a phase was not told");
    }

    void IControlReceiver.Received(Ended ended)
    {
        Require(Next(LaunchMessageType.Ended, out ReadOnlySpan<byte> content) && Ended.Decode(content, out Ended said) == LaunchFault.None && said == ended, "Ended was not said like that");
        _ended ??= ended;
        ((IControlReceiver)_process).Received(ended);
    }

    LaunchFault IControlReceiver.Received(VsockConnect connect)
    {
        Require(
            Next(LaunchMessageType.VsockConnect, out ReadOnlySpan<byte> content) && VsockConnect.Decode(content, out VsockConnect said) == LaunchFault.None && said == connect,
            "VsockConnect was not said like that");
        LaunchFault expected = _process.Connector is null ? LaunchFault.WrongType : _bench!.Expected(connect.Port);
        LaunchFault fault = ((IControlReceiver)_process).Received(connect);
        Require(fault == expected, $"a question for place {connect.Port} gives {fault}; {expected} is right");
        _row.Fault = fault;
        if (fault == LaunchFault.None)
        {
            _bench!.Asked(connect.Port);
        }

        return fault;
    }

    private void Turns(ref InputReader input, bool mayAsk)
    {
        _row.Begin();
        _phases.Clear();
        (_ready, _ended, _phaseCount) = (null, null, 0);
        _process = new WatchedProcess("fuzz", null!, mayAsk ? _bench!.Control : _nothing, _nothing, _phases.Add) { Connector = mayAsk ? _bench!.Connector : null };
        bool alive = true;
        while (!input.IsEmpty && alive)
        {
            switch (input.Below(mayAsk ? 10 : 6))
            {
                case 0 or 1 or 2:
                    Say(ref input, mayAsk);
                    break;
                case 3:
                    alive = Feed(1 + input.Below(12));
                    break;
                case 4:
                    alive = Feed(1 + (input.U16() % 1200));
                    break;
                case 5:
                    alive = Feed(int.MaxValue);
                    break;
                case 6 or 7:
                    _bench!.Answer(Later(ref input));
                    break;
                case 8:
                    TakeOrAccept(ref input);
                    break;
                default:
                    alive = !input.OneIn(32) || Ask(1 + input.Below(3), input.Below(80));
                    break;
            }
        }

        _ = alive && Feed(int.MaxValue);
        Require(_process.Ended == _ended && _process.Ready.IsCompletedSuccessfully == _ready is not null, "what was said first is not what is known");
        Require(_ready is null || _process.Ready.Result == _ready, "the first Ready is not the one that is known");
    }

    private static int Later(ref InputReader input) => input.OneIn(8) ? input.U16() : input.Below(4) switch { 0 => 5, 1 => 1, 2 => input.Below(16), _ => 0 };

    private void TakeOrAccept(ref InputReader input)
    {
        switch (input.Below(4))
        {
            case 0 or 1:
                _bench!.TakeAnswer();
                break;
            case 2:
                _bench!.Accept(0);
                break;
            default:
                _bench!.Accept(1);
                break;
        }
    }

    // A device that asks as fast as it is answered.
    private bool Ask(int place, int times)
    {
        bool alive = Feed(int.MaxValue);
        for (int question = 0; question < times && alive; question++)
        {
            if (_row.Room < MostFrameBytes)
            {
                return true;
            }

            _row.Say(_frame.AsSpan(0, new VsockConnect(place).Encode(_frame)));
            alive = Feed(int.MaxValue);
            _bench!.Answer(0);
            _bench.TakeAnswer();
            if (place <= _programs.Length && alive)
            {
                _bench.Accept(place - 1);
            }
        }

        return alive;
    }

    // As the watch does: what is there and fits, and then every message in it.
    private bool Feed(int most)
    {
        while (most > 0 && !_row.Unfed.IsEmpty)
        {
            Span<byte> free = _process.Inbox.Free;
            Require(!free.IsEmpty, "no room to receive into, and no fault either");
            int count = Math.Min(Math.Min(most, free.Length), _row.Unfed.Length);
            _row.Unfed[..count].CopyTo(free);
            _process.Inbox.Received(count);
            _row.Fed += count;
            most -= count;
            LaunchFault fault = _process.Inbox.Drain(this);
            Require(!_row.TryNext(out LaunchMessageType missed, out _), $"{missed} was not handed on");
            Require(fault == _row.Fault, $"the fault is {fault}; {_row.Fault} is right");
            Reached.Note(1, (int)fault);
            if (fault != LaunchFault.None)
            {
                return false;
            }
        }

        return true;
    }

    private bool Next(LaunchMessageType type, out ReadOnlySpan<byte> content)
    {
        bool there = _row.TryNext(out LaunchMessageType said, out content) && said == type;
        Reached.Note(2, (int)type);
        return there;
    }

    private void Say(ref InputReader input, bool mayAsk)
    {
        if (_row.Room < MostFrameBytes)
        {
            return;
        }

        _frame.AsSpan().Clear(); // nothing of another input
        Span<byte> content = _frame.AsSpan(HeaderBytes);
        LaunchMessageType type = input.OneIn(24) ? (LaunchMessageType)input.Below(24) : (LaunchMessageType)(16 + input.Below(mayAsk || input.OneIn(12) ? 4 : 3));
        int length;
        switch (type)
        {
            case LaunchMessageType.Ready:
                BinaryPrimitives.WriteUInt64LittleEndian(content, input.OneIn(4) ? input.Edge() : input.Byte());
                length = 8;
                break;
            case LaunchMessageType.Phase:
                BinaryPrimitives.WriteUInt16LittleEndian(content, (ushort)(input.OneIn(24) ? input.Byte() : 1 + input.Below(3)));
                BinaryPrimitives.WriteUInt64LittleEndian(content[2..], input.OneIn(4) ? input.Edge() : input.Byte());
                length = 10;
                break;
            case LaunchMessageType.Ended:
                BinaryPrimitives.WriteUInt16LittleEndian(content, (ushort)input.Below(input.OneIn(24) ? 256 : 10));
                BinaryPrimitives.WriteUInt64LittleEndian(content[2..], input.Edge());
                int text = input.OneIn(3) ? 508 + input.Below(5) : input.Byte();
                BinaryPrimitives.WriteUInt16LittleEndian(content[10..], (ushort)text);
                content.Slice(12, text).Fill((byte)(input.OneIn(24) ? input.Byte() : 'a' + input.Below(26)));
                length = 12 + text;
                break;
            case LaunchMessageType.VsockConnect:
                BinaryPrimitives.WriteUInt16LittleEndian(content, (ushort)(input.OneIn(16) ? input.Below(18) : 1 + input.Below(3)));
                length = 2;
                break;
            default:
                ReadOnlySpan<byte> any = input.Bytes(input.Below(16));
                any.CopyTo(content);
                length = any.Length;
                break;
        }

        length = input.OneIn(32) ? Math.Max(0, length + input.Below(3) - 1) : length;
        BinaryPrimitives.WriteUInt32LittleEndian(_frame, input.OneIn(32) ? input.OneIn(2) ? input.Edge32() : 520 + (uint)input.Below(8) : (uint)length);
        BinaryPrimitives.WriteUInt16LittleEndian(_frame.AsSpan(4), input.OneIn(48) ? input.Byte() : (ushort)1);
        BinaryPrimitives.WriteUInt16LittleEndian(_frame.AsSpan(6), (ushort)(input.OneIn(48) ? input.U16() : (int)type));
        _row.Say(_frame.AsSpan(0, HeaderBytes + length));
    }

    private static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new FindingException($"inbox: {what}");
        }
    }
}
