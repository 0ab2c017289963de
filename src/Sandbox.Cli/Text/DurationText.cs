using System.Globalization;

namespace Sandbox.Cli.Text;

/// <summary>Reads a duration: a whole number with ms, s, m or h, or none for seconds.</summary>
internal static class DurationText
{
    private static readonly Unit[] Units = [new("ms", 1), new("s", 1000), new("m", 60_000), new("h", 3_600_000)];

    /// <summary>1000 hours: timers of .NET end at 2^32 - 2 milliseconds.</summary>
    private const long MaxMilliseconds = 1000L * 3_600_000;

    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        long factor = 1000;
        foreach (Unit unit in Units)
        {
            if (text.EndsWith(unit.Name, StringComparison.Ordinal))
            {
                factor = unit.Milliseconds;
                text = text[..^unit.Name.Length];
                break;
            }
        }

        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) || number == 0 || number > MaxMilliseconds / factor)
        {
            return false;
        }

        duration = TimeSpan.FromMilliseconds(number * factor);
        return true;
    }

    /// <summary>The largest unit that gives a whole number, as one would have given it.</summary>
    public static string Show(TimeSpan duration)
    {
        long milliseconds = duration.Ticks / TimeSpan.TicksPerMillisecond;
        Unit unit = Array.FindLast(Units, entry => milliseconds % entry.Milliseconds == 0)!;
        return $"{milliseconds / unit.Milliseconds}{unit.Name}";
    }

    /// <summary>For an option.</summary>
    /// <exception cref="SandboxException">The text is no duration, or out of range.</exception>
    public static TimeSpan Parse(string option, string text) => TryParse(text, out TimeSpan duration) ? duration : throw new SandboxException(
        SandboxErrorKind.InvalidOption, $"{option} \"{text}\" is not valid; give 1ms to 1000h, for example 500ms, 30s or 5m");

    private sealed class Unit(string name, long milliseconds)
    {
        public string Name { get; } = name;

        public long Milliseconds { get; } = milliseconds;
    }
}
