using Sandbox.Control.Agent;
using Sandbox.Linux;
using Sandbox.Linux.Guest;

namespace Sandbox.Init.Agent;

/// <summary>
/// Standard output or error of one command. Bytes go from the pipe straight into the frame that leaves. It ends when every
/// holder of the pipe has closed it, or, once the command itself is dead, when what was in the pipe at that moment is sent:
/// what a process left in the background writes later is not the command's output, and its holding the pipe must not hang
/// the command's end.
/// </summary>
/// <param name="id">The command.</param>
/// <param name="stream">Output or error.</param>
/// <param name="pipe">The end to read from: of a pipe, or the master of a terminal.</param>
/// <param name="isTerminal">What is in a terminal cannot be counted: a read tells when it is empty.</param>
internal sealed class CommandOutput(uint id, AgentStream stream, Watch pipe, bool isTerminal = false)
{
    private const int Unlimited = -1;
    private const int TerminalDrainBytes = 128 * 1024; // more than a terminal holds

    private int _drainBytes = Unlimited;

    public StreamSendWindow Window { get; } = new();

    public bool Ended { get; private set; }

    /// <summary>Watches the pipe when there is leave and room to send.</summary>
    public void UpdateWatch(OutgoingBuffer outgoing)
    {
        if (!Ended)
        {
            pipe.Want(CanSend(outgoing) ? EpollEvents.Readable : EpollEvents.None);
        }
    }

    /// <summary>Moves at most one frame from the pipe to the buffer.</summary>
    public void Pump(OutgoingBuffer outgoing)
    {
        int limit = Math.Min(Window.AvailableBytes, AgentLimits.MaxDataBytes);
        if (_drainBytes != Unlimited)
        {
            limit = Math.Min(limit, _drainBytes);
        }

        if (Ended || limit == 0 || !outgoing.HasRoomForData(AgentLimits.MaxFrameBytes))
        {
            return;
        }

        Span<byte> frame = outgoing.Room(DataMessage.PayloadOffset + limit);
        int count = FdIo.Read(pipe.Fd.Number, frame.Slice(DataMessage.PayloadOffset, limit));
        if (count == -(int)Errno.EAGAIN && _drainBytes == Unlimited)
        {
            return;
        }

        if (count <= 0)
        {
            End(outgoing);
            return;
        }

        outgoing.Added(DataMessage.EncodeInPlace(frame, id, stream, count));
        Window.Sent(count);
        if (_drainBytes != Unlimited)
        {
            _drainBytes -= count;
            EndWhenDrained(outgoing);
        }
    }

    /// <summary>The command is dead: only what is in the pipe now still counts.</summary>
    public void CommandDied(OutgoingBuffer outgoing)
    {
        if (isTerminal)
        {
            _drainBytes = TerminalDrainBytes;
        }
        else if (!Ended)
        {
            _drainBytes = Math.Max(GuestPipe.CountReadable(pipe.Fd), 0);
            EndWhenDrained(outgoing);
        }
    }

    /// <summary>The command of a terminal is dead: sends what is in it as far as there is leave and room, and ends it when it is empty.</summary>
    public void DrainTerminal(OutgoingBuffer outgoing)
    {
        while (isTerminal && _drainBytes != Unlimited && !Ended && CanSend(outgoing))
        {
            Pump(outgoing);
        }
    }

    /// <summary>Closes the pipe (whoever writes to it gets EPIPE) and tells the host, once.</summary>
    public void End(OutgoingBuffer outgoing)
    {
        if (!Ended)
        {
            Close();
            outgoing.Added(new EndMessage(id, stream).Encode(outgoing.Room(AgentLimits.HeaderBytes + 8)));
        }
    }

    public void Close()
    {
        Ended = true;
        pipe.Close();
    }

    private bool CanSend(OutgoingBuffer outgoing) => Window.AvailableBytes > 0 && outgoing.HasRoomForData(AgentLimits.MaxFrameBytes);

    private void EndWhenDrained(OutgoingBuffer outgoing)
    {
        if (_drainBytes == 0)
        {
            End(outgoing);
        }
    }
}
