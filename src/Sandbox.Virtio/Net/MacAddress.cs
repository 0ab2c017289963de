namespace Sandbox.Virtio.Net;

/// <summary>An Ethernet address, in the low 48 bits, the first byte on the wire highest.</summary>
public readonly record struct MacAddress(ulong Value)
{
    public const int SizeBytes = 6;

    /// <summary>Reads the next six bytes.</summary>
    public static MacAddress Read(ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        for (int index = 0; index < SizeBytes; index++)
        {
            value = (value << 8) | bytes[index];
        }

        return new MacAddress(value);
    }

    public void Write(Span<byte> bytes)
    {
        for (int index = 0; index < SizeBytes; index++)
        {
            bytes[index] = (byte)((Value >> (8 * (SizeBytes - 1 - index))) & byte.MaxValue);
        }
    }
}
