using Sandbox.Linux;

namespace Sandbox.Initramfs;

/// <summary>Writes to a borrowed memory file, from its start; it does not close it. Small writes are gathered until <see cref="Flush"/>.</summary>
internal sealed class MemFdStream(FdHandle file) : Stream
{
    private readonly byte[] _gathered = new byte[64 * 1024];
    private int _count;
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
        if (buffer.Length > _gathered.Length - _count)
        {
            Flush();
        }

        if (buffer.Length >= _gathered.Length)
        {
            WriteOut(buffer);
        }
        else
        {
            buffer.CopyTo(_gathered.AsSpan(_count));
            _count += buffer.Length;
        }

        _position += buffer.Length;
    }

    public override void WriteByte(byte value) => Write([value]);

    public override void Flush()
    {
        WriteOut(_gathered.AsSpan(0, _count));
        _count = 0;
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private void WriteOut(ReadOnlySpan<byte> bytes) => LinuxException.Check(FdIo.WriteAll(file.Number, bytes), "write to a memory file");
}
