using System.Net.Sockets;
using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Testing;

namespace Sandbox.Lab.Tests;

/// <summary>
/// The smallest launcher for a frontend that is not ours: listens on a path and puts a real sandbox-device behind each connection, always
/// with the same file and the same record of requests in flight.
/// </summary>
internal sealed class DeviceServer : IDisposable
{
    private readonly DeviceLaunchSpec _spec;
    private readonly FdHandle _file;
    private readonly FdHandle _inflight = MemFd.CreateSealed("inflight", LaunchLimits.InflightBytes);
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Lock _lock = new();
    private readonly Thread _thread;
    private DeviceProcess? _process;
    private bool _ended;

    public DeviceServer(string path, string image, int queueCount)
        : this(
            path,
            new() { Kind = DeviceKind.Block, CapacityBytes = new FileInfo(image).Length, SerialId = "sandboxdisk", QueueCount = queueCount },
            FileOpen.ReadWrite(image))
    {
    }

    /// <param name="path">Of the socket.</param>
    /// <param name="spec">The device.</param>
    /// <param name="backing">What is behind it; taken over.</param>
    public DeviceServer(string path, DeviceLaunchSpec spec, FdHandle backing)
    {
        _file = backing;
        _spec = spec;
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen();
        _thread = new Thread(Serve) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>Connections served so far.</summary>
    public int Connections { get; private set; }

    /// <summary>kill -9 of the process that serves.</summary>
    public void Kill()
    {
        lock (_lock)
        {
            _process?.Kill();
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _ended = true;
        }

        _listener.Dispose();
        _thread.Join();
        _process?.Dispose();
        _file.Dispose();
        _inflight.Dispose();
    }

    private void Serve()
    {
        while (true)
        {
            try
            {
                using Socket connection = _listener.Accept();
                using FdHandle socket = FdIo.Duplicate((int)connection.Handle);
                lock (_lock)
                {
                    if (_ended)
                    {
                        return;
                    }

                    _process?.Dispose();
                    _process = DeviceProcess.StartServing(_spec, socket, _inflight, _file);
                    Connections++;
                }
            }
            catch (Exception end) when (end is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }
}
