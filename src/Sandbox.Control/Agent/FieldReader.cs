using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace Sandbox.Control.Agent;

/// <summary>Reads the fields of a body in order. The first fault sticks and every later read gives zero, so a decoder checks once, at the end.</summary>
internal ref struct FieldReader(ReadOnlySpan<byte> body)
{
    private ReadOnlySpan<byte> _rest = body;

    public AgentFault Fault { get; private set; }

    public void Fail(AgentFault fault) => Fault = Fault == AgentFault.None ? fault : Fault;

    /// <summary>Records <paramref name="fault"/> unless <paramref name="condition"/> holds.</summary>
    public void Require(bool condition, AgentFault fault = AgentFault.BadValue)
    {
        if (!condition)
        {
            Fail(fault);
        }
    }

    public byte Byte() => Take(1) is { IsEmpty: false } field ? field[0] : (byte)0;

    public uint UInt32() => Take(4) is { IsEmpty: false } field ? BinaryPrimitives.ReadUInt32LittleEndian(field) : 0;

    public long Int64() => Take(8) is { IsEmpty: false } field ? BinaryPrimitives.ReadInt64LittleEndian(field) : 0;

    /// <summary>A u32 that must lie in [<paramref name="minimum"/>, <paramref name="maximum"/>].</summary>
    public int Int32(int minimum, int maximum)
    {
        uint value = UInt32();
        bool good = value <= int.MaxValue && (int)value >= minimum && (int)value <= maximum;
        Require(good);
        return good ? (int)value : minimum;
    }

    public bool Flag()
    {
        byte value = Byte();
        Require(value <= 1);
        return value == 1;
    }

    public AgentStream Stream()
    {
        byte value = Byte();
        Require(value <= (byte)AgentStream.Error);
        return (AgentStream)value;
    }

    /// <summary>A text behind its u16 length in bytes: UTF-8 without a zero byte.</summary>
    public string Text(int maxBytes)
    {
        ReadOnlySpan<byte> prefix = Take(2);
        int length = prefix.IsEmpty ? 0 : BinaryPrimitives.ReadUInt16LittleEndian(prefix);
        Require(length <= maxBytes, AgentFault.TooLong);
        ReadOnlySpan<byte> bytes = Fault == AgentFault.None ? Take(length) : default;
        Require(Utf8.IsValid(bytes) && !bytes.Contains((byte)0), AgentFault.BadText);
        return Fault == AgentFault.None ? Encoding.UTF8.GetString(bytes) : string.Empty;
    }

    /// <summary>A list: u16 item count, u16 length in bytes, then the items, each with a zero byte behind it.</summary>
    public string[] List()
    {
        ReadOnlySpan<byte> prefix = Take(4);
        int count = prefix.IsEmpty ? 0 : BinaryPrimitives.ReadUInt16LittleEndian(prefix);
        int length = prefix.IsEmpty ? 0 : BinaryPrimitives.ReadUInt16LittleEndian(prefix[2..]);
        Require(count <= AgentLimits.MaxListItems, AgentFault.TooManyItems);
        Require(length <= AgentLimits.MaxListBytes, AgentFault.TooLong);
        Require(count <= length || count == 0, AgentFault.TruncatedBody);
        ReadOnlySpan<byte> bytes = Fault == AgentFault.None ? Take(length) : default;
        // Counted before the array is made: its size is what is really there, not what was claimed.
        Require(bytes.Count((byte)0) == count && (bytes.IsEmpty || bytes[^1] == 0) && Utf8.IsValid(bytes), AgentFault.BadText);
        if (Fault != AgentFault.None)
        {
            return [];
        }

        string[] items = new string[count];
        for (int index = 0; index < count; index++)
        {
            int end = bytes.IndexOf((byte)0);
            items[index] = Encoding.UTF8.GetString(bytes[..end]);
            bytes = bytes[(end + 1)..];
        }

        return items;
    }

    public ReadOnlySpan<byte> Take(int length)
    {
        Require(length <= _rest.Length, AgentFault.TruncatedBody);
        if (Fault != AgentFault.None)
        {
            return default;
        }

        ReadOnlySpan<byte> field = _rest[..length];
        _rest = _rest[length..];
        return field;
    }

    /// <summary>All that is left.</summary>
    public ReadOnlySpan<byte> Rest() => Take(_rest.Length);

    /// <summary>The verdict: the first fault, or trailing bytes.</summary>
    public AgentFault Finish()
    {
        Require(_rest.IsEmpty, AgentFault.TrailingBytes);
        return Fault;
    }
}
