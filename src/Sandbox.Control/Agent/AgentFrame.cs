using System.Buffers.Binary;

namespace Sandbox.Control.Agent;

/// <summary>One received frame: its type and its body. The body is a view of the reader's buffer, valid until the reader moves on.</summary>
public readonly ref struct AgentFrame(AgentMessageType type, ReadOnlySpan<byte> body)
{
    public AgentMessageType Type { get; } = type;

    public ReadOnlySpan<byte> Body { get; } = body;

    /// <summary>Writes the header of a frame whose body is already in place behind it; returns the whole frame's length in bytes.</summary>
    internal static int Seal(Span<byte> frame, AgentMessageType type, int bodyBytes)
    {
        int length = AgentLimits.HeaderBytes + bodyBytes;
        BinaryPrimitives.WriteUInt32LittleEndian(frame, (uint)length);
        BinaryPrimitives.WriteUInt16LittleEndian(frame[4..], (ushort)type);
        BinaryPrimitives.WriteUInt16LittleEndian(frame[6..], 0);
        return length;
    }
}
