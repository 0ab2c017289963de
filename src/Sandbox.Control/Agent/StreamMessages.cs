namespace Sandbox.Control.Agent;

/// <summary>Both ways: bytes of a stream, 1 to <see cref="AgentLimits.MaxDataBytes"/>. Input from the host, output and error from the guest.</summary>
public readonly ref struct DataMessage(uint id, AgentStream stream, ReadOnlySpan<byte> bytes)
{
    /// <summary>Bytes of a Data frame before its payload: a sender may read a pipe straight to this offset of its frame.</summary>
    public const int PayloadOffset = AgentLimits.HeaderBytes + 8;

    public uint Id { get; } = id;

    public AgentStream Stream { get; } = stream;

    public ReadOnlySpan<byte> Bytes { get; } = bytes;

    public int Encode(Span<byte> frame)
    {
        Bytes.CopyTo(frame[PayloadOffset..]);
        return EncodeInPlace(frame, Id, Stream, Bytes.Length);
    }

    /// <summary>Completes a frame whose payload is already at <see cref="PayloadOffset"/>; the frame's length in bytes.</summary>
    public static int EncodeInPlace(Span<byte> frame, uint id, AgentStream stream, int payloadBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(payloadBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(payloadBytes, AgentLimits.MaxDataBytes);
        FieldWriter writer = new(frame);
        writer.UInt32(id);
        writer.UInt32((uint)stream);
        return AgentFrame.Seal(frame, AgentMessageType.Data, 8 + payloadBytes);
    }

    public static AgentFault Decode(ReadOnlySpan<byte> body, out DataMessage message)
    {
        FieldReader reader = new(body);
        uint id = reader.UInt32();
        AgentStream stream = (AgentStream)reader.Int32(0, (int)AgentStream.Error);
        ReadOnlySpan<byte> bytes = reader.Rest();
        reader.Require(bytes.Length <= AgentLimits.MaxDataBytes, AgentFault.TooLong);
        reader.Require(!bytes.IsEmpty);
        message = new DataMessage(id, stream, bytes);
        return reader.Finish();
    }
}

/// <summary>
/// Both ways. From the side that writes a stream: no more bytes come. From the side that reads it: nobody reads any more, so
/// the writer stops and answers with its own End (host to guest on output: the command gets EPIPE).
/// </summary>
public readonly record struct EndMessage(uint Id, AgentStream Stream)
{
    public int Encode(Span<byte> frame)
    {
        FieldWriter writer = new(frame);
        writer.UInt32(Id);
        writer.Byte((byte)Stream);
        return writer.Finish(AgentMessageType.End);
    }

    public static AgentFault Decode(ReadOnlySpan<byte> body, out EndMessage message)
    {
        FieldReader reader = new(body);
        message = new EndMessage(reader.UInt32(), reader.Stream());
        return reader.Finish();
    }
}

/// <summary>Both ways, from the side that reads a stream: that many bytes more may be sent.</summary>
public readonly record struct CreditMessage(uint Id, AgentStream Stream, uint Bytes)
{
    public int Encode(Span<byte> frame)
    {
        FieldWriter writer = new(frame);
        writer.UInt32(Id);
        writer.Byte((byte)Stream);
        writer.UInt32(Bytes);
        return writer.Finish(AgentMessageType.Credit);
    }

    public static AgentFault Decode(ReadOnlySpan<byte> body, out CreditMessage message)
    {
        FieldReader reader = new(body);
        message = new CreditMessage(reader.UInt32(), reader.Stream(), reader.UInt32());
        reader.Require(message.Bytes is > 0 and <= AgentLimits.StreamWindowBytes, AgentFault.CreditExcess);
        return reader.Finish();
    }
}

/// <summary>Messages without a body: Shutdown (host to guest), ShutdownDone (guest to host: file systems are in order, power goes off).</summary>
public static class EmptyMessage
{
    public static int Encode(Span<byte> frame, AgentMessageType type) => AgentFrame.Seal(frame, type, 0);

    public static AgentFault Decode(ReadOnlySpan<byte> body) => new FieldReader(body).Finish();
}
