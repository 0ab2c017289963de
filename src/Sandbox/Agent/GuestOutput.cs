using Sandbox.Control.Agent;

namespace Sandbox.Agent;

/// <summary>Standard output or error of a command, on its way from the connection to a reader. Guarded by the client's gate.</summary>
internal sealed class GuestOutput(GuestProcess process, AgentStream stream)
{
    private readonly ByteRing _ring = new();
    private readonly AsyncCondition _changed = new();
    private bool _ended;
    private bool _closed;

    /// <summary>Takes what the session has allowed. Under the gate.</summary>
    public void Received(ReadOnlySpan<byte> data)
    {
        if (_closed)
        {
            process.Consumed(stream, data.Length);
            return;
        }

        _ring.Write(data);
        _changed.Pulse();
    }

    /// <summary>The guest ended the stream. Under the gate.</summary>
    public void End()
    {
        _ended = true;
        _changed.Pulse();
    }

    /// <summary>The connection is over; readers look again and see why. Under the gate.</summary>
    public void Fail() => _changed.Pulse();

    /// <summary>What is there, at least one byte; 0 at the end of the stream.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (process.Gate)
            {
                ObjectDisposedException.ThrowIf(_closed, typeof(SandboxProcess));
                if (buffer.IsEmpty || _ring.Count > 0)
                {
                    int count = _ring.Read(buffer.Span);
                    if (count > 0)
                    {
                        process.Consumed(stream, count);
                    }

                    return count;
                }

                if (_ended)
                {
                    return 0;
                }

                process.ThrowIfOver();
                changed = _changed.NextPulse();
            }

            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Nobody reads any more: the command gets EPIPE, and what is still under way is dropped.</summary>
    public void Close()
    {
        lock (process.Gate)
        {
            if (_closed)
            {
                return;
            }

            _closed = true;
            int dropped = _ring.Clear();
            if (!_ended)
            {
                process.RefuseOutput(stream);
                process.Consumed(stream, dropped);
            }

            _changed.Pulse();
        }
    }
}
