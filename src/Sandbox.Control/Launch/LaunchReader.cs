using System.Buffers.Binary;
using System.Text;

namespace Sandbox.Control.Launch;

/// <summary>
/// Fields of a received message. The first fault sticks and every later field reads as zero, so that a decoder
/// asks for the fault once, at its end, before it uses anything.
/// </summary>
internal ref struct LaunchReader(ReadOnlySpan<byte> content)
{
    private ReadOnlySpan<byte> _rest = content;

    public LaunchFault Fault { get; private set; }

    public byte U8() => Next(sizeof(byte)) is { IsEmpty: false } field ? field[0] : (byte)0;

    public ushort U16() => Next(sizeof(ushort)) is { IsEmpty: false } field ? BinaryPrimitives.ReadUInt16LittleEndian(field) : (ushort)0;

    public uint U32() => Next(sizeof(uint)) is { IsEmpty: false } field ? BinaryPrimitives.ReadUInt32LittleEndian(field) : 0;

    public ulong U64() => Next(sizeof(ulong)) is { IsEmpty: false } field ? BinaryPrimitives.ReadUInt64LittleEndian(field) : 0;

    /// <summary>A size or time: u64 from 0 to <paramref name="maximum"/>.</summary>
    public long Size(long maximum)
    {
        ulong value = U64();
        return Require(value <= (ulong)maximum) ? (long)value : 0;
    }

    /// <summary>A count that bounds a loop: u16 from 0 to <paramref name="maximum"/>.</summary>
    public int Count(int maximum)
    {
        int value = U16();
        return Require(value <= maximum) ? value : 0;
    }

    /// <summary>u16 length of at most <paramref name="maximum"/>, then printable ASCII.</summary>
    public string Text(int maximum)
    {
        ReadOnlySpan<byte> bytes = Next(Count(maximum));
        if (bytes.ContainsAnyExceptInRange((byte)' ', (byte)'~'))
        {
            Fail(LaunchFault.NotPrintable);
            return "";
        }

        return Encoding.ASCII.GetString(bytes);
    }

    /// <summary>A condition on fields already read.</summary>
    public bool Require(bool holds)
    {
        if (!holds)
        {
            Fail(LaunchFault.OutOfRange);
        }

        return Fault == LaunchFault.None;
    }

    /// <summary>The verdict: also a fault when bytes are left.</summary>
    public LaunchFault End()
    {
        if (!_rest.IsEmpty)
        {
            Fail(LaunchFault.TrailingBytes);
        }

        return Fault;
    }

    private ReadOnlySpan<byte> Next(int bytes)
    {
        if (Fault != LaunchFault.None || bytes > _rest.Length)
        {
            Fail(LaunchFault.Truncated);
            return [];
        }

        ReadOnlySpan<byte> field = _rest[..bytes];
        _rest = _rest[bytes..];
        return field;
    }

    private void Fail(LaunchFault fault)
    {
        if (Fault == LaunchFault.None)
        {
            Fault = fault;
        }
    }
}
