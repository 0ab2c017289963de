using Sandbox.Control.Launch;
using Sandbox.Fuzz.Engine;
using Sandbox.Labels;
using Sandbox.Linux;
using Sandbox.Runtime;

namespace Sandbox.Fuzz.Devices;

/// <summary>
/// What makes connections for a vsock device, between a device that asks and takes answers as it likes and two programs that accept as they like. When
/// it may try, whom it reaches and what it answers is counted here once more. Its clock is the input's.
/// </summary>
internal sealed class ConnectorBench : IDisposable
{
    /// <summary>The agent's port, which cannot be asked for, two programs, and a path at which nobody listens.</summary>
    public const int Places = 4;

    private const int Step = 5; // milliseconds that one try costs
    private const int MostLeave = 64 * Step;
    private const int MostTries = 20;

    private readonly HostProgram[] _programs;
    private readonly FdHandle _device;
    private readonly Queue<(int Place, bool Connected)> _answers = [];
    private readonly int[] _waiting = new int[Places];
    private int _asked = -1;
    private int _tries;
    private int _leave = MostLeave;
    private long _now = 1_000_000;
    private long _tryAgainAt;

    public ConnectorBench(HostProgram[] programs, string nobody)
    {
        _programs = programs;
        foreach (HostProgram program in programs)
        {
            while (program.TryAccept())
            {
            }
        }

        (Control, _device) = UnixSocket.CreatePair();
        SocketBuffers.MakeSmall(Control);
        _ = FdIo.SetNonBlocking(_device.Number, on: true);
        Connector = new VsockConnector(["", programs[0].Path, programs[1].Path, nobody], SandboxSecurity.None);
    }

    public FdHandle Control { get; }

    public VsockConnector Connector { get; }

    /// <summary>What a question must come to, before it is asked.</summary>
    public LaunchFault Expected(int place) =>
        _asked < 0 && place is >= 1 and < Places && Poll.Wait(Control.Number, PollEvents.Writable, 0, out _) > 0 ? LaunchFault.None : LaunchFault.OutOfRange;

    /// <summary>A question was taken.</summary>
    public void Asked(int place) => _asked = place;

    /// <summary>The watch comes round, some milliseconds later.</summary>
    public void Answer(int later)
    {
        _now += later;
        _leave = Math.Min(MostLeave, _leave + later);
        int expected = _asked < 0 ? -1 : Try();
        int wait = Connector.Answer(Control.Number, _now);
        Require(wait == expected, $"waits for {wait} ms; {expected} is right");
        Require(Poll.Wait(_device.Number, PollEvents.Readable, 0, out _) > 0 == _answers.Count > 0, "has answered what was not to be answered, or not what was");
    }

    /// <summary>The device takes what has come.</summary>
    public void TakeAnswer()
    {
        Span<byte> frame = stackalloc byte[VsockAnswer.FrameBytes];
        Span<int> fds = stackalloc int[1];
        int count = UnixSocket.Receive(_device.Number, frame, fds, out int fdCount);
        if (fdCount == 1)
        {
            _ = FdIo.Close(fds[0]);
        }

        bool expected = _answers.TryDequeue(out (int Place, bool Connected) right);
        Require(expected == count > 0, $"a read of answers gives {count}");
        if (expected)
        {
            Require(VsockAnswer.DecodeFrame(frame[..count], out VsockAnswer answer) == LaunchFault.None, "an answer is none");
            Require((answer.Port, answer.Connected, fdCount) == (right.Place, right.Connected, right.Connected ? 1 : 0), $"{answer} came with {fdCount} fds; {right} is right");
            Reached.Note(20, right.Place + (right.Connected ? 4 : 0));
        }
    }

    /// <summary>A program accepts one connection.</summary>
    public void Accept(int program)
    {
        int place = 1 + program;
        bool accepted = _programs[program].TryAccept();
        Require(accepted == _waiting[place] > 0, $"the program behind place {place} has {_waiting[place]} connections to accept and gets {(accepted ? "one" : "none")}");
        _waiting[place] -= accepted ? 1 : 0;
    }

    public void Dispose()
    {
        Control.Dispose();
        _device.Dispose();
    }

    private int Try()
    {
        long due = Math.Max(_tryAgainAt, _now + Step - _leave);
        if (due > _now)
        {
            Reached.Note(21, (int)(due - _now));
            return (int)(due - _now);
        }

        _leave -= Step;
        bool listens = _asked - 1 < _programs.Length;
        bool busy = listens && _waiting[_asked] >= HostProgram.MostWaiting;
        if (busy && ++_tries < MostTries)
        {
            Reached.Note(22, _tries);
            _tryAgainAt = _now + Step;
            return Step;
        }

        _answers.Enqueue((_asked, listens && !busy));
        _waiting[_asked] += listens && !busy ? 1 : 0;
        _asked = -1;
        _tries = 0;
        return -1;
    }

    private static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new FindingException($"inbox: the connector {what}");
        }
    }
}
