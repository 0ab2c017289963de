namespace Sandbox.Jail;

/// <summary>Numbers as text, before the runtime and its formatting exist.</summary>
internal static class DecimalText
{
    /// <summary>The longest 32-bit number has ten digits.</summary>
    internal const int MaxBytes = 10;

    /// <summary>Two numbers, two spaces and a digit.</summary>
    internal const int MaxMapBytes = (2 * MaxBytes) + 3;

    /// <summary>Writes the digits; returns how many.</summary>
    internal static int Write(Span<byte> text, uint value)
    {
        int digits = 1;
        for (uint rest = value; rest >= 10; rest /= 10)
        {
            digits++;
        }

        for (int index = digits - 1; index >= 0; index--)
        {
            text[index] = (byte)('0' + (value % 10));
            value /= 10;
        }

        return digits;
    }

    /// <summary>A line of a uid_map or gid_map: this one number inside is the same outside.</summary>
    internal static int WriteMap(Span<byte> text, uint id)
    {
        int count = Write(text, id);
        text[count++] = (byte)' ';
        count += Write(text[count..], id);
        text[count++] = (byte)' ';
        text[count++] = (byte)'1';
        return count;
    }
}
