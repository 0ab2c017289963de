using Microsoft.Win32.SafeHandles;

namespace Sandbox.Fuzz.Engine;

/// <summary>The input at work, in a file: gone after a run that ends by itself, there after a crash.</summary>
internal sealed class CrashFile : IDisposable
{
    private readonly string _path;
    private readonly SafeFileHandle _file;

    public CrashFile(string path)
    {
        _path = path;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        _file = File.OpenHandle(path, FileMode.Create, FileAccess.Write);
    }

    public void Write(ReadOnlySpan<byte> input)
    {
        RandomAccess.SetLength(_file, input.Length);
        RandomAccess.Write(_file, input, 0);
    }

    public void Dispose()
    {
        _file.Dispose();
        File.Delete(_path);
    }
}
