namespace Sandbox.Runtime;

/// <summary>Looks for the reason of a guest's end in what it wrote to its console.</summary>
internal static class ConsoleText
{
    private const string PanicMark = "Kernel panic - not syncing: ";
    private const string PanicEndMark = "---[ end Kernel panic";
    private const int MaxReasonLength = 200;

    /// <summary>What the kernel said when it panicked, without the mark; null when it did not.</summary>
    public static string? PanicReason(string console)
    {
        int start = console.LastIndexOf(PanicEndMark, StringComparison.Ordinal) is int end and >= 0
            ? console.LastIndexOf(PanicMark, end, StringComparison.Ordinal)
            : console.LastIndexOf(PanicMark, StringComparison.Ordinal);
        if (start < 0)
        {
            return null;
        }

        string reason = console[(start + PanicMark.Length)..].Split('\n', 2)[0].Trim();
        return reason.Length <= MaxReasonLength ? reason : reason[..MaxReasonLength];
    }
}
