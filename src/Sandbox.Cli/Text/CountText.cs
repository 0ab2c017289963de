using System.Globalization;

namespace Sandbox.Cli.Text;

/// <summary>Reads a whole number; its range is the library's matter.</summary>
internal static class CountText
{
    /// <exception cref="SandboxException">The text is no whole number of 32 bits.</exception>
    public static int Parse(string option, string text) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) ? number : throw new SandboxException(
            SandboxErrorKind.InvalidOption, $"{option} \"{text}\" is not valid; give a whole number");
}
