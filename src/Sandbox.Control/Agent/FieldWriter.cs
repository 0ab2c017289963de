using System.Buffers.Binary;
using System.Text;

namespace Sandbox.Control.Agent;

/// <summary>Writes the fields of a body behind the room for the header. A field beyond its limit or the frame's end is a fault that sticks.</summary>
internal ref struct FieldWriter(Span<byte> frame)
{
    private readonly Span<byte> _frame = frame;
    private int _length = AgentLimits.HeaderBytes;

    public AgentFault Fault { get; private set; }

    public void Byte(byte value) => Room(1)[0] = value;

    public void Flag(bool value) => Byte(value ? (byte)1 : (byte)0);

    public void UInt32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Room(4), value);

    public void Int32(int value) => UInt32((uint)value);

    public void Int64(long value) => BinaryPrimitives.WriteInt64LittleEndian(Room(8), value);

    public void Bytes(ReadOnlySpan<byte> value)
    {
        if (Fits(value.Length))
        {
            value.CopyTo(Room(value.Length));
        }
    }

    public void Text(string value, int maxBytes)
    {
        int length = Encoding.UTF8.GetByteCount(value);
        if (!Check(length <= maxBytes, AgentFault.TooLong) || !Check(!value.Contains('\0', StringComparison.Ordinal), AgentFault.BadText) || !Fits(2 + length))
        {
            return;
        }

        BinaryPrimitives.WriteUInt16LittleEndian(Room(2), (ushort)length);
        Encoding.UTF8.GetBytes(value, Room(length));
    }

    public void List(IReadOnlyList<string> items)
    {
        if (!Check(items.Count <= AgentLimits.MaxListItems, AgentFault.TooManyItems))
        {
            return;
        }

        int length = 0;
        foreach (string item in items)
        {
            length += Encoding.UTF8.GetByteCount(item) + 1;
            if (!Check(length <= AgentLimits.MaxListBytes, AgentFault.TooLong) || !Check(!item.Contains('\0', StringComparison.Ordinal), AgentFault.BadText))
            {
                return;
            }
        }

        if (!Fits(4 + length))
        {
            return;
        }

        BinaryPrimitives.WriteUInt16LittleEndian(Room(2), (ushort)items.Count);
        BinaryPrimitives.WriteUInt16LittleEndian(Room(2), (ushort)length);
        foreach (string item in items)
        {
            int written = Encoding.UTF8.GetBytes(item, _frame[_length..]);
            _length += written;
            Byte(0);
        }
    }

    /// <summary>Writes the header; the frame's length in bytes, or 0 with the fault.</summary>
    public readonly AgentFault Finish(AgentMessageType type, out int frameBytes)
    {
        frameBytes = Fault == AgentFault.None ? AgentFrame.Seal(_frame, type, _length - AgentLimits.HeaderBytes) : 0;
        return Fault;
    }

    /// <summary>Writes the header of a message that has no limit to break and returns the frame's length in bytes.</summary>
    public readonly int Finish(AgentMessageType type) => AgentFrame.Seal(_frame, type, _length - AgentLimits.HeaderBytes);

    private Span<byte> Room(int length)
    {
        Span<byte> field = _frame.Slice(_length, length);
        _length += length;
        return field;
    }

    private bool Fits(int length) => Check(length <= Math.Min(_frame.Length, AgentLimits.MaxFrameBytes) - _length, AgentFault.TooLong);

    private bool Check(bool condition, AgentFault fault)
    {
        if (Fault == AgentFault.None && !condition)
        {
            Fault = fault;
        }

        return Fault == AgentFault.None;
    }
}
