using System.Buffers.Binary;

namespace Sandbox.Lab.Machine;

/// <summary>One frame as it came.</summary>
public readonly record struct Frame(FrameKind Kind, int CommandId, ReadOnlyMemory<byte> Payload)
{
    /// <summary>The payload of a frame that carries one number.</summary>
    public int Number => BinaryPrimitives.ReadInt32LittleEndian(Payload.Span);
}
