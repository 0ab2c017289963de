using System.Buffers.Binary;
using System.Text;

namespace Sandbox.Control.Launch;

/// <summary>Fields of a message we make ourselves, one after another. Running over the buffer is our own bug and throws.</summary>
internal ref struct LaunchWriter(Span<byte> content)
{
    private readonly Span<byte> _content = content;

    public int Count { get; private set; }

    public void U8(byte value) => Next(sizeof(byte))[0] = value;

    public void U16(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Next(sizeof(ushort)), value);

    public void U32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Next(sizeof(uint)), value);

    public void U64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Next(sizeof(ulong)), value);

    /// <summary>u16 length, then ASCII.</summary>
    public void Text(scoped ReadOnlySpan<char> text)
    {
        U16(checked((ushort)text.Length));
        _ = Encoding.ASCII.GetBytes(text, Next(text.Length));
    }

    private Span<byte> Next(int bytes)
    {
        Span<byte> field = _content.Slice(Count, bytes);
        Count += bytes;
        return field;
    }
}
