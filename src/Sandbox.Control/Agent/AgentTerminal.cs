namespace Sandbox.Control.Agent;

/// <summary>The size of a command's terminal, in characters.</summary>
public readonly record struct AgentTerminal(ushort Rows, ushort Columns)
{
    internal void Write(ref FieldWriter writer)
    {
        writer.Int32(Rows);
        writer.Int32(Columns);
    }

    internal static AgentTerminal Read(ref FieldReader reader) =>
        new((ushort)reader.Int32(0, ushort.MaxValue), (ushort)reader.Int32(0, ushort.MaxValue));
}

/// <summary>Host to guest: the terminal of the command has another size now.</summary>
public readonly record struct ResizeMessage(uint Id, AgentTerminal Size)
{
    public int Encode(Span<byte> frame)
    {
        FieldWriter writer = new(frame);
        writer.UInt32(Id);
        Size.Write(ref writer);
        return writer.Finish(AgentMessageType.Resize);
    }

    public static AgentFault Decode(ReadOnlySpan<byte> body, out ResizeMessage message)
    {
        FieldReader reader = new(body);
        message = new ResizeMessage(reader.UInt32(), AgentTerminal.Read(ref reader));
        return reader.Finish();
    }
}
