using System.Globalization;

namespace Sandbox.Launch;

/// <summary>IPv4 addresses as text: four decimal numbers and nothing else. System.Net also reads "1" and "0x7f.1".</summary>
internal static class AddressText
{
    /// <summary>The address, its first byte highest.</summary>
    public static bool TryParse(string text, out uint address)
    {
        address = 0;
        string[] parts = text.Split('.');
        foreach (string part in parts)
        {
            if (part.Length is 0 or > 3 || !byte.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out byte value))
            {
                return false;
            }

            address = (address << 8) | value;
        }

        return parts.Length == 4;
    }

    /// <summary>ADDRESS/PREFIX, the prefix from 1 to 32.</summary>
    public static bool TryParseNetwork(string text, out uint address, out byte prefixBits)
    {
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        prefixBits = 0;
        address = 0;
        return slash > 0 && TryParse(text[..slash], out address)
            && byte.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out prefixBits) && prefixBits is >= 1 and <= 32;
    }

    /// <summary>Of text that has been checked.</summary>
    public static uint Parse(string text) => TryParse(text, out uint address) ? address : throw new FormatException(text);
}
