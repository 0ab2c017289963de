namespace Sandbox;

/// <summary>A duration as seconds for a message: "3 s", "0.5 s". In whole numbers, because formatting of doubles is a large part of a small exe.</summary>
internal static class SecondsText
{
    public static string Of(TimeSpan duration)
    {
        long milliseconds = duration.Ticks / TimeSpan.TicksPerMillisecond;
        string fraction = milliseconds % 1000 == 0 ? "" : "." + $"{milliseconds % 1000:D3}".TrimEnd('0');
        return $"{milliseconds / 1000}{fraction} s";
    }
}
