using System.Globalization;

namespace Sandbox.Cli.Text;

/// <summary>Reads a duration: a number with ms, s, m or h, or none for seconds.</summary>
internal static class DurationText
{
    private static readonly (string Unit, double Milliseconds)[] Units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];

    /// <summary>Timers of .NET end at 2^32 - 2 milliseconds; this is a round number below.</summary>
    private const double MaxMilliseconds = 1000.0 * 3_600_000;

    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        text = text.Trim();
        double factor = 1000;
        foreach ((string unit, double milliseconds) in Units)
        {
            if (text.EndsWith(unit, StringComparison.Ordinal))
            {
                factor = milliseconds;
                text = text[..^unit.Length];
                break;
            }
        }

        if (!double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number)
            || number * factor is not (>= 1 and <= MaxMilliseconds))
        {
            return false;
        }

        duration = TimeSpan.FromMilliseconds(number * factor);
        return true;
    }

    /// <summary>For an option.</summary>
    /// <exception cref="SandboxException">The text is no duration, or out of range.</exception>
    public static TimeSpan Parse(string text) => TryParse(text, out TimeSpan duration) ? duration : throw new SandboxException(
        SandboxErrorKind.InvalidOption, $"duration \"{text}\" is not valid; give 1ms to 1000h, for example 500ms, 30s or 5m");
}
