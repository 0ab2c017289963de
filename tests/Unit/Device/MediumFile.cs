using Sandbox.Linux;

namespace Sandbox.Unit.Tests.Device;

/// <summary>A file on a medium, not in memory: what a disk process has threads for. It lies where the tests are built, for /tmp may be memory.</summary>
internal sealed class MediumFile : IDisposable
{
    public MediumFile(byte[] content, bool direct)
    {
        System.IO.File.WriteAllBytes(Path, content);
        File = FileOpen.Named(Path, writable: true, direct);
    }

    public string Path { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, $"medium-{Guid.NewGuid():N}");

    public FdHandle File { get; }

    public void Dispose()
    {
        File.Dispose();
        System.IO.File.Delete(Path);
    }
}
