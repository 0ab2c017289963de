using System.Globalization;

namespace Sandbox.Cli.Text;

/// <summary>Reads a size: a whole number with K, M, G, T or P for powers of 1024, or none for bytes.</summary>
internal static class SizeText
{
    private const string Units = "KMGTP";

    public static bool TryParse(string text, out long bytes)
    {
        bytes = 0;
        text = text.Trim();
        int unit = text.Length > 0 ? Units.IndexOf(char.ToUpperInvariant(text[^1]), StringComparison.Ordinal) : -1;
        ReadOnlySpan<char> digits = unit >= 0 ? text.AsSpan(0, text.Length - 1) : text;
        if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long number))
        {
            return false;
        }

        int shift = 10 * (unit + 1);
        if (number > long.MaxValue >> shift)
        {
            return false;
        }

        bytes = number << shift;
        return true;
    }

    /// <summary>For an option.</summary>
    /// <exception cref="SandboxException">The text is no size.</exception>
    public static long Parse(string option, string text) => TryParse(text, out long bytes) ? bytes : throw new SandboxException(
        SandboxErrorKind.InvalidOption, $"{option} \"{text}\" is not valid; give a whole number with K, M, G or T, for example 512M");
}
