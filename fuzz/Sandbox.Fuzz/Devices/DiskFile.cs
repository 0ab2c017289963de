using Sandbox.Linux;
using Sandbox.Memory;

namespace Sandbox.Fuzz.Devices;

/// <summary>The file behind the disk: it can grow, and the harness sees its bytes without a system call.</summary>
internal sealed class DiskFile : IDisposable
{
    private readonly FdHandle _file;
    private readonly GuestMemory _bytes;

    public DiskFile()
    {
        IGuestWatcher? watcher = GuestWatch.Watcher;
        GuestWatch.Watcher = null; // no guest memory: the auditor is not to know it
        _file = MemFd.Create("fuzz-disk");
        _ = LinuxException.Check(FdIo.WriteAll(_file.Number, new byte[BlockModel.FileBytes]), "write fuzz-disk");
        _bytes = GuestMemory.Map(_file.Number, [new GuestMemoryRegion(new GuestAddress(0), BlockModel.FileBytes, 0)]);
        GuestWatch.Watcher = watcher;
    }

    public int Fd => _file.Number;

    public void Write(ReadOnlySpan<byte> content)
    {
        IGuestWatcher? watcher = GuestWatch.Watcher;
        GuestWatch.Watcher = null;
        _ = _bytes.TryWrite(new GuestAddress(0), content);
        GuestWatch.Watcher = watcher;
    }

    public void Read(Span<byte> content)
    {
        IGuestWatcher? watcher = GuestWatch.Watcher;
        GuestWatch.Watcher = null;
        _ = _bytes.TryRead(new GuestAddress(0), content);
        GuestWatch.Watcher = watcher;
    }

    public void Dispose()
    {
        _bytes.Dispose();
        _file.Dispose();
    }
}
