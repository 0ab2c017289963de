using System.Buffers.Binary;

namespace Sandbox.Lab.Machine;

/// <summary>Frames over a byte stream: kind (1 byte), command id (4), length (4), then the bytes. Both ends are ours and trusted.</summary>
public sealed class FrameLine(Stream stream) : IDisposable
{
    /// <summary>Longest payload, in bytes.</summary>
    public const int MaxPayloadBytes = 256 * 1024;

    private const int HeaderBytes = 9;

    private readonly Lock _writing = new();
    private readonly byte[] _header = new byte[HeaderBytes];

    /// <summary>Sends one frame; any thread may call it.</summary>
    public void Write(FrameKind kind, int commandId, ReadOnlySpan<byte> payload)
    {
        byte[] frame = new byte[HeaderBytes + payload.Length];
        frame[0] = (byte)kind;
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(1), commandId);
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(5), payload.Length);
        payload.CopyTo(frame.AsSpan(HeaderBytes));
        lock (_writing)
        {
            stream.Write(frame);
            stream.Flush();
        }
    }

    /// <summary>Sends one frame with a number in it.</summary>
    public void Write(FrameKind kind, int commandId, int number)
    {
        Span<byte> payload = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(payload, number);
        Write(kind, commandId, payload);
    }

    /// <summary>The next frame; false when the other end is gone. One thread reads.</summary>
    public bool TryRead(out Frame frame)
    {
        frame = default;
        if (!TryFill(_header))
        {
            return false;
        }

        int length = BinaryPrimitives.ReadInt32LittleEndian(_header.AsSpan(5));
        if (length is < 0 or > MaxPayloadBytes)
        {
            throw new InvalidDataException($"a frame of {length} bytes: the line is out of step");
        }

        byte[] payload = new byte[length];
        if (!TryFill(payload))
        {
            return false;
        }

        frame = new Frame((FrameKind)_header[0], BinaryPrimitives.ReadInt32LittleEndian(_header.AsSpan(1)), payload);
        return true;
    }

    /// <summary>Reads and drops bytes until <paramref name="mark"/> has gone by; false when the other end is gone.</summary>
    public bool TrySkipPast(ReadOnlySpan<byte> mark)
    {
        byte[] window = new byte[mark.Length];
        if (!TryFill(window))
        {
            return false;
        }

        Span<byte> next = stackalloc byte[1];
        while (!mark.SequenceEqual(window))
        {
            if (stream.Read(next) == 0)
            {
                return false;
            }

            window.AsSpan(1).CopyTo(window);
            window[^1] = next[0];
        }

        return true;
    }

    public void Dispose() => stream.Dispose();

    private bool TryFill(Span<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            int count = stream.Read(buffer);
            if (count == 0)
            {
                return false;
            }

            buffer = buffer[count..];
        }

        return true;
    }
}
