namespace Sandbox.Cli.Text;

/// <summary>Reads PATH[:ro][:direct], the two in either order.</summary>
internal static class DiskText
{
    private const string ReadOnlyMark = ":ro";
    private const string DirectMark = ":direct";

    public static DiskOptions Parse(string text)
    {
        bool readOnly = false, direct = false;
        while (true)
        {
            if (!readOnly && text.EndsWith(ReadOnlyMark, StringComparison.Ordinal))
            {
                readOnly = true;
                text = text[..^ReadOnlyMark.Length];
            }
            else if (!direct && text.EndsWith(DirectMark, StringComparison.Ordinal))
            {
                direct = true;
                text = text[..^DirectMark.Length];
            }
            else
            {
                return new DiskOptions { Path = text, ReadOnly = readOnly, Direct = direct };
            }
        }
    }
}
