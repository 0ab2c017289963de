using System.Buffers.Binary;

namespace Sandbox.Control.Agent;

/// <summary>
/// Cuts a byte stream into frames with one fixed buffer of <see cref="AgentLimits.MaxFrameBytes"/>. The owner reads the
/// connection into <see cref="Free"/>, says how much with <see cref="Received"/>, and takes frames until there is none.
/// A frame's body is valid until the next <see cref="Free"/>. After a fault the reader stays faulted.
/// </summary>
public sealed class AgentFrameReader
{
    private readonly byte[] _buffer = new byte[AgentLimits.MaxFrameBytes];
    private int _start;
    private int _end;

    /// <summary>The first fault seen, or <see cref="AgentFault.None"/>.</summary>
    public AgentFault Fault { get; private set; }

    /// <summary>Room to receive into. Never empty once <see cref="TryTake"/> has returned false without a fault.</summary>
    public Span<byte> Free => FreeMemory.Span;

    /// <inheritdoc cref="Free"/>
    public Memory<byte> FreeMemory
    {
        get
        {
            if (_start > 0)
            {
                _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
                _end -= _start;
                _start = 0;
            }

            return _buffer.AsMemory(_end);
        }
    }

    /// <summary>Counts bytes that were put at the start of <see cref="Free"/>.</summary>
    public void Received(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _buffer.Length - _end);
        _end += count;
    }

    /// <summary>The peer has closed: a fault when that was in the middle of a frame.</summary>
    public AgentFault EndOfStream() => Fault != AgentFault.None || _start == _end ? Fault : Fault = AgentFault.TruncatedFrame;

    /// <summary>Takes the next whole frame. False: more bytes are needed, or <see cref="Fault"/> says what is wrong.</summary>
    public bool TryTake(out AgentFrame frame)
    {
        frame = default;
        ReadOnlySpan<byte> pending = _buffer.AsSpan(_start, _end - _start);
        if (Fault != AgentFault.None || pending.Length < AgentLimits.HeaderBytes)
        {
            return false;
        }

        // The length is judged as soon as it is here: a stranger's number never waits in a buffer.
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(pending);
        if (length is < AgentLimits.HeaderBytes or > AgentLimits.MaxFrameBytes)
        {
            Fault = AgentFault.FrameLength;
            return false;
        }

        AgentMessageType type = (AgentMessageType)BinaryPrimitives.ReadUInt16LittleEndian(pending[4..]);
        if (type is AgentMessageType.None or > AgentMessageType.Resize)
        {
            Fault = AgentFault.UnknownType;
            return false;
        }

        if (BinaryPrimitives.ReadUInt16LittleEndian(pending[6..]) != 0)
        {
            Fault = AgentFault.ReservedBits;
            return false;
        }

        if (pending.Length < (int)length)
        {
            return false;
        }

        frame = new AgentFrame(type, pending[AgentLimits.HeaderBytes..(int)length]);
        _start += (int)length;
        return true;
    }
}
