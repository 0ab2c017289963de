namespace Sandbox.Cli.Text;

/// <summary>Reads SIZE[,REQUESTS], each a second; 0 for no bound.</summary>
internal static class RateText
{
    public static DiskRateOptions Parse(string option, string text)
    {
        int comma = text.IndexOf(',', StringComparison.Ordinal);
        return new DiskRateOptions
        {
            BytesPerSecond = SizeText.Parse(option, comma < 0 ? text : text[..comma]),
            OperationsPerSecond = comma < 0 ? 0 : CountText.Parse(option, text[(comma + 1)..]),
        };
    }
}
