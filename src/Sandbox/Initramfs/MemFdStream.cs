using Sandbox.Linux;

namespace Sandbox.Initramfs;

/// <summary>Writes to a borrowed memory file, from its start; it does not close it.</summary>
internal sealed class MemFdStream(FdHandle file) : Stream
{
    private long _position;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => _position;

    /// <summary>Bytes written.</summary>
    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        LinuxException.Check(FdIo.WriteAll(file.Number, buffer), "write to a memory file");
        _position += buffer.Length;
    }

    public override void Flush()
    {
        // Every write goes to the file at once.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
