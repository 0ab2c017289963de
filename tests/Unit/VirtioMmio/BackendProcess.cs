using System.Diagnostics;
using System.Net.Sockets;
using Sandbox.Control.Launch;
using Sandbox.Linux;
using Sandbox.Testing;

namespace Sandbox.Unit.Tests.VirtioMmio;

/// <summary>Which vhost-user block backend serves an image.</summary>
public enum BackendKind
{
    /// <summary>Our own sandbox-device.</summary>
    Ours,

    /// <summary>qemu-storage-daemon, which knows nothing of us.</summary>
    Published,
}

/// <summary>A block backend in a process of its own, and the frontend's end of its socket.</summary>
internal sealed class BackendProcess : IDisposable
{
    private readonly DeviceProcess? _ours;
    private readonly Process? _published;
    private readonly Socket? _connection;

    private BackendProcess(DeviceProcess ours) => _ours = ours;

    private BackendProcess(Process published, Socket connection)
    {
        _published = published;
        _connection = connection;
    }

    /// <summary>Borrowed.</summary>
    public int Socket => _ours?.Frontend.Socket.Number ?? (int)_connection!.Handle;

    public static BackendProcess Start(BackendKind kind, string image)
    {
        if (kind == BackendKind.Ours)
        {
            using FdHandle file = FileOpen.ReadWrite(image);
            DeviceLaunchSpec spec = new() { Kind = DeviceKind.Block, CapacityBytes = new FileInfo(image).Length };
            return new BackendProcess(DeviceProcess.Start(spec, file));
        }

        string path = $"{image}.socket";
        Process daemon = Process.Start(
            "qemu-storage-daemon",
            [
                "--blockdev", $"driver=file,node-name=file,filename={image}",
                "--blockdev", "driver=raw,node-name=disk,file=file",
                "--export", $"type=vhost-user-blk,id=export,node-name=disk,writable=on,addr.type=unix,addr.path={path}",
            ]);
        return new BackendProcess(daemon, Connect(path));
    }

    public void Kill()
    {
        if (_ours is not null)
        {
            using Process process = Process.GetProcessById(_ours.Pid);
            process.Kill();
        }

        _published?.Kill();
    }

    public void Dispose()
    {
        _ours?.Dispose();
        _connection?.Dispose();
        if (_published is not null)
        {
            _published.Kill();
            _published.WaitForExit();
            _published.Dispose();
        }
    }

    // The daemon listens when it is ready, and not before.
    private static Socket Connect(string path)
    {
        for (int attempt = 0; ; attempt++)
        {
            Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                socket.Connect(new UnixDomainSocketEndPoint(path));
                return socket;
            }
            catch (SocketException) when (attempt < 300)
            {
                socket.Dispose();
                Thread.Sleep(100);
            }
        }
    }
}
