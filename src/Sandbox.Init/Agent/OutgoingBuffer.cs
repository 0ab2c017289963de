using Sandbox.Linux;

namespace Sandbox.Init.Agent;

/// <summary>
/// Frames on their way to the host, in one fixed buffer. Stream data leaves <see cref="ControlReserveBytes"/> free, so that a
/// control message always finds room while the host is slow to read.
/// </summary>
internal sealed class OutgoingBuffer
{
    /// <summary>
    /// Enough for all that can be said without hearing from the host: two Ends, an Exited and a few Credits for each of the
    /// 64 commands that may be alive, under 20 bytes each.
    /// </summary>
    public const int ControlReserveBytes = 16 * 1024;

    private readonly byte[] _bytes = new byte[256 * 1024];
    private int _start;
    private int _end;

    public bool IsEmpty => _start == _end;

    /// <summary>Whether a frame of stream data of this many bytes may be added.</summary>
    public bool HasRoomForData(int bytes) => FreeBytes - ControlReserveBytes >= bytes;

    /// <summary>Whether the host may be listened to: there is room for the answers.</summary>
    public bool HasRoomForAnswers => FreeBytes >= ControlReserveBytes;

    private int FreeBytes => _bytes.Length - (_end - _start);

    /// <summary>Room to build the next frame in, at least <paramref name="bytes"/> long; counted by <see cref="Added"/>.</summary>
    public Span<byte> Room(int bytes)
    {
        if (_bytes.Length - _end < bytes)
        {
            _bytes.AsSpan(_start, _end - _start).CopyTo(_bytes);
            _end -= _start;
            _start = 0;
        }

        return _bytes.AsSpan(_end, bytes);
    }

    /// <summary>Counts a frame that was built at the start of <see cref="Room"/>.</summary>
    public void Added(int bytes) => _end += bytes;

    /// <summary>Writes what the connection takes. 0, or the negated error number; a full connection is no error.</summary>
    public int Flush(FdHandle connection)
    {
        while (_start < _end)
        {
            int count = FdIo.Write(connection.Number, _bytes.AsSpan(_start, _end - _start));
            if (count < 0)
            {
                return count == -(int)Errno.EAGAIN ? 0 : count;
            }

            _start += count;
        }

        _start = _end = 0;
        return 0;
    }
}
