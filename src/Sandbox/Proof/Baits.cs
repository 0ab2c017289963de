using System.Globalization;
using Sandbox.Linux;
using Sandbox.Linux.Baits;

namespace Sandbox.Proof;

/// <summary>What probes try to reach outside: listeners and shared memory that nothing but a wall keeps from them. All of it goes with this process, however that ends.</summary>
internal sealed class Baits : IDisposable
{
    private const int PathOnly = 0x200000; // O_PATH

    private readonly FdHandle _pathListener;
    private readonly FdHandle _pathFile;
    private readonly FdHandle _nameListener;
    private readonly FdHandle _portListener;

    public Baits()
    {
        // The name is gone again before anything is attempted; the socket stays reachable by the path of an fd of it.
        string name = Path.Combine(Path.GetTempPath(), $"sandbox-proof-{Convert.ToHexString(HostRandom.Bytes(8))}");
        _pathListener = BaitSocket.ListenAt(name, isAbstract: false);
        _pathFile = FileOpen.Open(name, PathOnly, 0);
        File.Delete(name);
        SocketPath = string.Create(CultureInfo.InvariantCulture, $"/proc/{Environment.ProcessId}/fd/{_pathFile.Number}");
        _nameListener = BaitSocket.ListenAt(SocketPath, isAbstract: true);
        _portListener = BaitSocket.ListenOnLoopback(out ushort port);
        Port = port;
        SharedMemoryId = BaitMemory.Create();
    }

    /// <summary>A path, and an abstract name, where somebody listens.</summary>
    public string SocketPath { get; }

    public ushort Port { get; }

    public int SharedMemoryId { get; }

    public void Dispose()
    {
        _pathListener.Dispose();
        _pathFile.Dispose();
        _nameListener.Dispose();
        _portListener.Dispose();
    }
}
