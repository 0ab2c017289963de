using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Sandbox.Lab.Machine;

/// <summary>A client's connection to the agent of a running lab host. Commands may run side by side.</summary>
public sealed class LabSession : IDisposable
{
    private readonly FrameLine _line;
    private readonly ConcurrentDictionary<int, LabCommand> _commands = new();
    private int _lastId;
    private volatile bool _closed;

    private LabSession(FrameLine line)
    {
        _line = line;
        new Thread(Dispatch) { IsBackground = true, Name = "lab line" }.Start();
    }

    /// <summary>Connects to the line of a machine; null where no agent answers within the limit.</summary>
    public static LabSession? TryConnect(string socketPath, TimeSpan limit, Func<bool> isAlive)
    {
        DateTime end = DateTime.UtcNow + limit;
        while (DateTime.UtcNow < end && isAlive())
        {
            Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                socket.Connect(new UnixDomainSocketEndPoint(socketPath));
            }
            catch (SocketException)
            {
                socket.Dispose();
                Thread.Sleep(20);
                continue;
            }

            FrameLine line = new(new NetworkStream(socket, ownsSocket: true));
            byte[] mark = RandomNumberGenerator.GetBytes(16);
            socket.ReceiveTimeout = (int)Math.Max(1, (end - DateTime.UtcNow).TotalMilliseconds);
            try
            {
                line.Write(FrameKind.Hello, 0, mark);
                if (line.TrySkipPast(mark))
                {
                    socket.ReceiveTimeout = 0;
                    return new LabSession(line);
                }
            }
            catch (IOException)
            {
                // No answer in time, or the machine died: the loop's condition tells.
            }

            line.Dispose();
        }

        return null;
    }

    /// <summary>Starts a command. The two receivers are called on one thread, in order; while they block, the command's output waits.</summary>
    public LabCommand Start(CommandSpec spec, LabReceiver onOutput, LabReceiver onError)
    {
        int id = Interlocked.Increment(ref _lastId);
        LabCommand command = new(_line, id, onOutput, onError);
        _commands[id] = command;
        _line.Write(FrameKind.Run, id, spec.Encode());
        if (_closed)
        {
            command.Fail();
        }

        return command;
    }

    public void Dispose() => _line.Dispose();

    private void Dispatch()
    {
        try
        {
            while (_line.TryRead(out Frame frame))
            {
                if (_commands.TryGetValue(frame.CommandId, out LabCommand? command) && command.Receive(frame))
                {
                    _commands.TryRemove(frame.CommandId, out _);
                }
            }
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException)
        {
            // The machine is gone; the commands learn it below.
        }

        _closed = true;
        foreach (LabCommand command in _commands.Values)
        {
            command.Fail();
        }
    }
}
