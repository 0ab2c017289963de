namespace Sandbox.Cli.Text;

/// <summary>Reads PATH[:ro].</summary>
internal static class DiskText
{
    private const string ReadOnlyMark = ":ro";

    public static DiskOptions Parse(string text) => text.EndsWith(ReadOnlyMark, StringComparison.Ordinal)
        ? new DiskOptions { Path = text[..^ReadOnlyMark.Length], ReadOnly = true }
        : new DiskOptions { Path = text };
}
