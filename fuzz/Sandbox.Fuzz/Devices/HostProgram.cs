using System.Net.Sockets;
using System.Runtime.InteropServices;
using Sandbox.Linux;

namespace Sandbox.Fuzz.Devices;

/// <summary>A program of the operator's that listens on a path and accepts when it is told to.</summary>
internal sealed class HostProgram : IDisposable
{
    /// <summary>So many connections wait for it and no more: the kernel counts to its backlog and one further.</summary>
    public const int MostWaiting = 3;

    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    public HostProgram(string path)
    {
        Path = path;
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen(MostWaiting - 1);
        _ = FdIo.SetNonBlocking((int)_listener.Handle, on: true);
    }

    public string Path { get; }

    /// <summary>The first that waits is accepted, and let go at once. False: there is none.</summary>
    public bool TryAccept()
    {
        int connection = accept((int)_listener.Handle, 0, 0);
        return connection >= 0 && FdIo.Close(connection) == 0;
    }

    public void Dispose() => _listener.Dispose();

    [DllImport("libc", SetLastError = true)]
    private static extern int accept(int socket, nint address, nint length);
}
