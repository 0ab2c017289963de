using Sandbox.Control.Agent;

namespace Sandbox.Agent;

/// <summary>One command in the guest: its three streams, its end. All state is guarded by the client's gate.</summary>
internal sealed class GuestProcess
{
    private readonly AgentClient _client;
    private readonly HostCommand _command;
    private readonly ExecOptions _options;
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<CommandExit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly AsyncCondition _inputChanged = new();
    private bool _abandoned;

    public GuestProcess(AgentClient client, HostCommand command, ExecOptions options)
    {
        (_client, _command, _options) = (client, command, options);
        Output = new GuestOutput(this, AgentStream.Output);
        Error = new GuestOutput(this, AgentStream.Error);
    }

    public Lock Gate => _client.Gate;

    public GuestOutput Output { get; }

    public GuestOutput Error { get; }

    public Task Started => _started.Task;

    public Task<CommandExit> Exited => _exited.Task;

    /// <summary>Handles a judged message of the guest, under the gate. True: it was the last one for this command.</summary>
    public bool Handle(in HostEvent received)
    {
        switch (received.Type)
        {
            case AgentMessageType.Started:
                _started.TrySetResult();
                if (_abandoned)
                {
                    SendSignal(SigKill);
                }

                return false;
            case AgentMessageType.ExecFailed:
                _started.TrySetException(GuestFailure.Describe(_options, received.Errno));
                _ = _started.Task.Exception; // an abandoned start has no reader
                return true;
            case AgentMessageType.Data:
                OutputOf(received.Stream).Received(received.Data);
                return false;
            case AgentMessageType.End when received.Stream != AgentStream.Input:
                OutputOf(received.Stream).End();
                return false;
            case AgentMessageType.Exited:
                _exited.TrySetResult(new CommandExit(received.Exited.ExitCode, received.Exited.Signal));
                _inputChanged.Pulse();
                return true;
            default: // Credit for the input, or its end
                _inputChanged.Pulse();
                return false;
        }
    }

    /// <summary>The connection is over: every waiting task hears why. Under the gate.</summary>
    public void ConnectionEnded(SandboxException reason)
    {
        _started.TrySetException(reason);
        _exited.TrySetException(reason);
        _ = (_started.Task.Exception, _exited.Task.Exception); // either may have no reader
        Output.Fail();
        Error.Fail();
        _inputChanged.Pulse();
    }

    /// <summary>The caller has given up waiting for the start: kill the command as soon as it runs, and read its output away.</summary>
    public void Abandon()
    {
        lock (Gate)
        {
            _abandoned = true;
            if (_started.Task.IsCompletedSuccessfully)
            {
                SendSignal(SigKill);
            }
        }

        Output.Close();
        Error.Close();
    }

    public async ValueTask WriteInputAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        while (!data.IsEmpty)
        {
            Task? wait = null;
            lock (Gate)
            {
                _client.ThrowIfOver();
                if (!_command.InputOpen)
                {
                    throw new IOException("the command does not read its standard input any more");
                }

                int count = Math.Min(Math.Min(data.Length, AgentLimits.MaxDataBytes), Math.Min(_command.Input.AvailableBytes, _client.DataRoom));
                if (count > 0 && _client.MaySend(AgentMessageType.Data))
                {
                    Span<byte> frame = _client.Room(DataMessage.PayloadOffset + count);
                    _client.Append(new DataMessage(_command.Id, AgentStream.Input, data.Span[..count]).Encode(frame));
                    _command.Input.Sent(count);
                    data = data[count..];
                }
                else
                {
                    wait = _client.DataRoom == 0 ? _client.QueueEmptied.NextPulse() : _inputChanged.NextPulse();
                }
            }

            if (wait is not null)
            {
                await wait.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>No more input comes: the command reads end of file. Harmless when it is over already.</summary>
    public void EndInput()
    {
        lock (Gate)
        {
            if (_command.InputOpen && _client.MaySend(AgentMessageType.End))
            {
                _command.InputEnded();
                SendEnd(AgentStream.Input);
            }
        }
    }

    /// <summary>Sends a signal to the command; without effect when it is over.</summary>
    public void Signal(int signal)
    {
        lock (Gate)
        {
            SendSignal(signal);
        }
    }

    /// <summary>Gives the command's terminal another size; without effect when it has none or is over.</summary>
    public void Resize(TerminalSize size)
    {
        lock (Gate)
        {
            if (_options.Terminal is not null && _command.Phase == HostCommandPhase.Running && _client.MaySend(AgentMessageType.Resize))
            {
                _client.Append(new ResizeMessage(_command.Id, new AgentTerminal(size.Rows, size.Columns)).Encode(_client.Room(ControlFrameBytes)));
            }
        }
    }

    /// <summary>Bytes have left the host's buffers. Under the gate.</summary>
    internal void Consumed(AgentStream stream, int bytes)
    {
        uint credit = _command.Consumed(stream, bytes);
        if (credit > 0 && _client.MaySend(AgentMessageType.Credit))
        {
            _client.Append(new CreditMessage(_command.Id, stream, credit).Encode(_client.Room(ControlFrameBytes)));
        }
    }

    /// <summary>Nobody reads this output any more. Under the gate.</summary>
    internal void RefuseOutput(AgentStream stream)
    {
        if (_command.Phase == HostCommandPhase.Running && _client.MaySend(AgentMessageType.End))
        {
            SendEnd(stream);
        }
    }

    internal void ThrowIfOver() => _client.ThrowIfOver();

    private const int SigKill = 9;

    /// <summary>More than any message here but Data needs.</summary>
    private const int ControlFrameBytes = 64;

    private GuestOutput OutputOf(AgentStream stream) => stream == AgentStream.Output ? Output : Error;

    private void SendEnd(AgentStream stream) =>
        _client.Append(new EndMessage(_command.Id, stream).Encode(_client.Room(ControlFrameBytes)));

    private void SendSignal(int signal)
    {
        if (_command.Phase == HostCommandPhase.Running && _client.MaySend(AgentMessageType.Signal))
        {
            _client.Append(new SignalMessage(_command.Id, signal).Encode(_client.Room(ControlFrameBytes)));
        }
    }
}
