namespace Sandbox.Lab.Machine;

/// <summary>A command that runs in the lab host.</summary>
public sealed class LabCommand
{
    /// <summary>Input that may be under way without the command having taken it, in bytes.</summary>
    private const int InputWindowBytes = 256 * 1024;

    private const int InputChunkBytes = 32 * 1024;

    private readonly FrameLine _line;
    private readonly int _id;
    private readonly LabReceiver _onOutput;
    private readonly LabReceiver _onError;
    private readonly TaskCompletionSource<int> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly object _gate = new();
    private int _window = InputWindowBytes;

    internal LabCommand(FrameLine line, int id, LabReceiver onOutput, LabReceiver onError) =>
        (_line, _id, _onOutput, _onError) = (line, id, onOutput, onError);

    /// <summary>The exit code; 128 + n for a signal. Fails with <see cref="LabException"/> when the machine dies first.</summary>
    public Task<int> Exit => _exit.Task;

    /// <summary>Writes to the command's standard input; waits while too much is under way. Without effect after its end.</summary>
    public void WriteInput(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty && !_exit.Task.IsCompleted)
        {
            int count = Math.Min(bytes.Length, InputChunkBytes);
            lock (_gate)
            {
                while (_window < count && !_exit.Task.IsCompleted)
                {
                    Monitor.Wait(_gate);
                }

                _window -= count;
            }

            _line.Write(FrameKind.Input, _id, bytes[..count]);
            bytes = bytes[count..];
        }
    }

    /// <summary>Ends the command's standard input.</summary>
    public void EndInput() => _line.Write(FrameKind.Input, _id, []);

    /// <summary>Sends a signal to the command's process group.</summary>
    public void Signal(int number) => _line.Write(FrameKind.Signal, _id, number);

    /// <summary>True when this was the last frame.</summary>
    internal bool Receive(Frame frame)
    {
        switch (frame.Kind)
        {
            case FrameKind.Output:
                _onOutput(frame.Payload.Span);
                return false;
            case FrameKind.Error:
                _onError(frame.Payload.Span);
                return false;
            case FrameKind.InputTaken:
                Release(frame.Number);
                return false;
            case FrameKind.Exited:
                _exit.TrySetResult(frame.Number);
                Release(0);
                return true;
            default:
                return false;
        }
    }

    internal void Fail()
    {
        _exit.TrySetException(new LabException("the lab host died under the command"));
        Release(0);
    }

    private void Release(int bytes)
    {
        lock (_gate)
        {
            _window += bytes;
            Monitor.PulseAll(_gate);
        }
    }
}
