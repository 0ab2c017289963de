using System.Globalization;

namespace Sandbox.Labels;

/// <summary>An image that a sandbox relabelled, and what it was before.</summary>
internal sealed class JournalEntry
{
    /// <summary>Of the file, as the path alone may name another one later.</summary>
    public required long Device { get; init; }

    /// <summary>Of the file.</summary>
    public required long Inode { get; init; }

    /// <summary>The label to put back.</summary>
    public required string Before { get; init; }

    /// <summary>The label it got. Whatever else it has now, somebody else has given it since: then it stays.</summary>
    public required string During { get; init; }

    /// <summary>Absolute; no line feed in it.</summary>
    public required string Path { get; init; }

    public string ToLine() => string.Create(CultureInfo.InvariantCulture, $"{Device} {Inode} {Before} {During} {Path}");

    public static bool TryParse(string line, out JournalEntry? entry)
    {
        string[] parts = line.Split(' ', 5);
        entry = parts.Length == 5
            && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out long device)
            && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out long inode)
            && parts[4].StartsWith('/')
                ? new JournalEntry { Device = device, Inode = inode, Before = parts[2], During = parts[3], Path = parts[4] } : null;
        return entry is not null;
    }
}
