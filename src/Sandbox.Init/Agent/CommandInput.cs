using Sandbox.Control.Agent;
using Sandbox.Linux;

namespace Sandbox.Init.Agent;

/// <summary>
/// The standard input of one command: what the host sent and the pipe has not taken waits in a ring of one window, so the
/// window's sender can never make it grow.
/// </summary>
internal sealed class CommandInput(Watch pipe)
{
    private readonly StreamReceiveWindow _window = new();
    private byte[]? _ring;
    private int _head;
    private int _count;

    /// <summary>Whether the pipe is closed: at the end of input, or because nobody reads it.</summary>
    public bool Closed { get; private set; }

    /// <summary>Whether the host has said that no more comes.</summary>
    public bool EndedByHost { get; private set; }

    /// <summary>Takes bytes from the host. A fault, or the credit to give back now in <paramref name="credit"/>.</summary>
    public AgentFault Accept(ReadOnlySpan<byte> bytes, out uint credit)
    {
        credit = 0;
        AgentFault fault = EndedByHost ? AgentFault.StreamState : _window.Received(bytes.Length);
        if (fault != AgentFault.None || Closed)
        {
            // Closed: the command reads no more, and the host has yet to hear of it.
            return fault;
        }

        int written = 0;
        if (_count == 0)
        {
            written = FdIo.Write(pipe.Fd.Number, bytes);
            if (written < 0 && written != -(int)Errno.EAGAIN)
            {
                Close();
                return AgentFault.None;
            }

            written = Math.Max(written, 0);
        }

        Enqueue(bytes[written..]);
        credit = written > 0 ? _window.Consumed(written) : 0;
        UpdateWatch();
        return AgentFault.None;
    }

    /// <summary>The host sends no more: the pipe closes when the ring is empty.</summary>
    public AgentFault End()
    {
        if (EndedByHost)
        {
            return AgentFault.StreamState;
        }

        EndedByHost = true;
        UpdateWatch();
        return AgentFault.None;
    }

    /// <summary>The pipe takes bytes again, or nobody reads it: the credit to give back.</summary>
    public uint Pump()
    {
        uint credit = 0;
        while (_count > 0 && !Closed)
        {
            int chunk = Math.Min(_count, AgentLimits.StreamWindowBytes - _head);
            int written = FdIo.Write(pipe.Fd.Number, _ring.AsSpan(_head, chunk));
            if (written == -(int)Errno.EAGAIN)
            {
                break;
            }

            if (written < 0)
            {
                Close();
                return credit;
            }

            _head = (_head + written) % AgentLimits.StreamWindowBytes;
            _count -= written;
            credit += _window.Consumed(written);
        }

        UpdateWatch();
        return credit;
    }

    public void Close()
    {
        Closed = true;
        _count = 0;
        pipe.Close();
    }

    private void Enqueue(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        // The window bounds what can wait: it always fits.
        _ring ??= new byte[AgentLimits.StreamWindowBytes];
        int tail = (_head + _count) % _ring.Length;
        int first = Math.Min(bytes.Length, _ring.Length - tail);
        bytes[..first].CopyTo(_ring.AsSpan(tail));
        bytes[first..].CopyTo(_ring);
        _count += bytes.Length;
    }

    private void UpdateWatch()
    {
        if (_count == 0 && EndedByHost)
        {
            Close();
        }
        else if (!Closed)
        {
            pipe.Want(_count > 0 ? EpollEvents.Writable : EpollEvents.None);
        }
    }
}
