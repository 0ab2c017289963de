using System.Buffers.Binary;

namespace Sandbox.Boot.Acpi;

/// <summary>
/// Writes the few AML terms that our DSDT needs (ACPI 6.4, 20.2) into a buffer of fixed size. Names are our own constants; a name of another
/// length than four, or a full buffer, is our own bug.
/// </summary>
internal ref struct AmlWriter(Span<byte> buffer)
{
    private const byte ZeroOp = 0x00;
    private const byte OneOp = 0x01;
    private const byte NameOp = 0x08;
    private const byte BytePrefix = 0x0A;
    private const byte WordPrefix = 0x0B;
    private const byte DWordPrefix = 0x0C;
    private const byte StringPrefix = 0x0D;
    private const byte ScopeOp = 0x10;
    private const byte BufferOp = 0x11;
    private const byte PackageOp = 0x12;
    private const byte ExtOpPrefix = 0x5B;
    private const byte DeviceOp = 0x82;
    private const byte RootChar = 0x5C;
    private const int PackageLengthBytes = 3;

    private readonly Span<byte> _buffer = buffer;

    /// <summary>Bytes written so far.</summary>
    public int Length { get; private set; }

    /// <summary>Scope (\NAME). Returns what <see cref="End"/> needs.</summary>
    public int BeginScope(scoped ReadOnlySpan<byte> name)
    {
        Put(ScopeOp);
        int start = ReservePackageLength();
        Put(RootChar);
        PutName(name);
        return start;
    }

    /// <summary>Device (NAME).</summary>
    public int BeginDevice(scoped ReadOnlySpan<byte> name)
    {
        Put(ExtOpPrefix);
        Put(DeviceOp);
        int start = ReservePackageLength();
        PutName(name);
        return start;
    }

    /// <summary>
    /// Closes a scope or device: its length, counted from the length field itself, goes where it was reserved. Always three bytes: the
    /// first holds four bits, the next two eight each (20.2.4); the shortest form is not demanded.
    /// </summary>
    public readonly void End(int start)
    {
        int length = Length - start;
        _buffer[start] = (byte)(((PackageLengthBytes - 1) << 6) | (length & 0xF));
        BinaryPrimitives.WriteUInt16LittleEndian(_buffer[(start + 1)..], (ushort)(length >> 4));
    }

    /// <summary>Name (NAME, integer).</summary>
    public void NameInteger(scoped ReadOnlySpan<byte> name, uint value)
    {
        Put(NameOp);
        PutName(name);
        PutInteger(value);
    }

    /// <summary>Name (NAME, "text").</summary>
    public void NameString(scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> text)
    {
        Put(NameOp);
        PutName(name);
        Put(StringPrefix);
        PutBytes(text);
        Put(0);
    }

    /// <summary>Name (NAME, EisaId ("PNPnnnn")): three letters of five bits, four hexadecimal digits, most significant byte first (6.1.5).</summary>
    public void NameEisaId(scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> id)
    {
        uint value = 0;
        foreach (byte letter in id[..3])
        {
            value = (value << 5) | (uint)(letter - 0x40);
        }

        foreach (byte digit in id[3..7])
        {
            value = (value << 4) | (uint)(digit <= (byte)'9' ? digit - '0' : digit - 'A' + 10);
        }

        Put(NameOp);
        PutName(name);
        Put(DWordPrefix);
        BinaryPrimitives.WriteUInt32BigEndian(Take(sizeof(uint)), value);
    }

    /// <summary>Name (NAME, Package () { integers }).</summary>
    public void NamePackage(scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> integers)
    {
        Put(NameOp);
        PutName(name);
        Put(PackageOp);
        int start = ReservePackageLength();
        Put((byte)integers.Length);
        foreach (byte integer in integers)
        {
            PutInteger(integer);
        }

        End(start);
    }

    /// <summary>Name (_CRS, ResourceTemplate () { ... }): the descriptors, then the end tag with no checksum.</summary>
    public void NameResources(scoped ReadOnlySpan<byte> descriptors)
    {
        ReadOnlySpan<byte> endTag = [0x79, 0x00];
        Put(NameOp);
        PutName("_CRS"u8);
        Put(BufferOp);
        int start = ReservePackageLength();
        PutInteger((uint)(descriptors.Length + endTag.Length));
        PutBytes(descriptors);
        PutBytes(endTag);
        End(start);
    }

    private int ReservePackageLength()
    {
        int start = Length;
        _ = Take(PackageLengthBytes);
        return start;
    }

    private void PutInteger(uint value)
    {
        switch (value)
        {
            case 0:
                Put(ZeroOp);
                break;
            case 1:
                Put(OneOp);
                break;
            case <= byte.MaxValue:
                Put(BytePrefix);
                Put((byte)value);
                break;
            case <= ushort.MaxValue:
                Put(WordPrefix);
                BinaryPrimitives.WriteUInt16LittleEndian(Take(sizeof(ushort)), (ushort)value);
                break;
            default:
                Put(DWordPrefix);
                BinaryPrimitives.WriteUInt32LittleEndian(Take(sizeof(uint)), value);
                break;
        }
    }

    private void PutName(scoped ReadOnlySpan<byte> name)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(name.Length, 4);
        PutBytes(name);
    }

    private void PutBytes(scoped ReadOnlySpan<byte> bytes) => bytes.CopyTo(Take(bytes.Length));

    private void Put(byte value) => Take(1)[0] = value;

    private Span<byte> Take(int count)
    {
        Span<byte> taken = _buffer.Slice(Length, count);
        Length += count;
        return taken;
    }
}
