using System.Net.Sockets;
using Sandbox.Linux;

namespace Sandbox.Fuzz.Remote;

/// <summary>A back end that listens on a path, like qemu-storage-daemon. It is not ours to end.</summary>
internal sealed class ListeningBackend(string path) : IBackendSource
{
    private const int SolSocket = 1;
    private const int SoPeerCred = 17; // struct ucred: pid, uid, gid

    private PeerProcess? _peer;

    public PeerProcess Peer => _peer ?? throw new ArgumentException($"nobody listens on {path}");

    public bool IsOneProcess => true;

    public FdHandle? Connect()
    {
        // It may be busy with the end of the last session.
        for (int attempt = 0; attempt < 100; attempt++)
        {
            Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                socket.Connect(new UnixDomainSocketEndPoint(path));
                byte[] credentials = new byte[12];
                _ = socket.GetRawSocketOption(SolSocket, SoPeerCred, credentials);
                _peer ??= new PeerProcess(BitConverter.ToInt32(credentials));
                FdHandle fd = FdIo.Duplicate((int)socket.Handle);
                socket.Dispose();
                return fd;
            }
            catch (SocketException)
            {
                socket.Dispose();
                if (_peer is { IsAlive: false })
                {
                    return null;
                }

                Thread.Sleep(50);
            }
        }

        return null;
    }

    public string? Finish() => Peer.IsAlive ? null : "its process is gone";

    public void Dispose()
    {
    }
}
