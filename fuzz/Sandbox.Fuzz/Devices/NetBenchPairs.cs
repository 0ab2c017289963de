using Sandbox.Fuzz.Engine;
using Sandbox.Fuzz.Guest;

namespace Sandbox.Fuzz.Devices;

/// <summary>What a driver knows of its pairs of queues, read from virtio 1.2 §5.1.6.5.5 a second time: which commands are right, and where frames may come.</summary>
internal sealed class NetBenchPairs
{
    private readonly Queue<(ushort Head, byte[] Command, FuzzBuffer[] Buffers)> _asked = new();
    private readonly byte[] _answer = new byte[1];
    private bool _hasControl;
    private int _inUse;
    private int _ceiling; // of what is in use and what was asked for

    public int Count { get; private set; } = 1;

    public void Begin(int count, bool hasControl)
    {
        Count = count;
        _hasControl = hasControl;
        _inUse = hasControl ? 1 : count;
        _ceiling = _inUse;
    }

    public bool IsControl(int queueIndex) => _hasControl && queueIndex == 2 * Count;

    public void Asked(ushort head, ReadOnlySpan<byte> command, FuzzBuffer[] buffers)
    {
        _asked.Enqueue((head, command.ToArray(), buffers));
        _ceiling = Math.Max(_ceiling, PairsOf(command));
    }

    public void JudgeAnswer(FuzzGuest guest, ushort head, uint writtenBytes)
    {
        if (!_asked.TryDequeue(out (ushort Head, byte[] Command, FuzzBuffer[] Buffers) asked) || asked.Head != head || writtenBytes != 1)
        {
            throw new FindingException("net: a command is answered out of turn, or with more than a byte");
        }

        int pairs = PairsOf(asked.Command);
        RequestCutter.ReadWritable(guest, asked.Buffers, 0, _answer);
        Reached.Note(72, (_answer[0] << 8) | pairs);
        if (_answer[0] != (pairs != 0 ? 0 : 1))
        {
            throw new FindingException($"net: the command {Convert.ToHexString(asked.Command)} of {Count} pairs was answered {_answer[0]}");
        }

        _inUse = pairs != 0 ? pairs : _inUse;
        _ceiling = _asked.Count == 0 ? _inUse : _ceiling;
    }

    public void JudgeReceivedOn(int pair)
    {
        if (pair >= _ceiling)
        {
            throw new FindingException($"net: a frame came on pair {pair} of {_ceiling}");
        }
    }

    /// <summary>What the device had not taken is gone with the ring; its choice stays, for the features do.</summary>
    public void ControlStarted()
    {
        _asked.Clear();
        _ceiling = _inUse;
    }

    // 0: an error. Without MQ there is no command that is right.
    private int PairsOf(ReadOnlySpan<byte> command)
    {
        int pairs = command.Length == 4 && command[0] == 4 && command[1] == 0 ? command[2] | (command[3] << 8) : 0;
        return Count > 1 && pairs <= Count ? pairs : 0;
    }
}
