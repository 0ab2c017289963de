using System.Text;
using Sandbox.Linux;

namespace Sandbox.Labels;

/// <summary>
/// What sandboxes have relabelled and not yet put back: a file for each sandbox, named by its pair, written to the disk before the first
/// label changes and removed after the last is back. The one thing that outlives a killed launcher, because the labels do too; the
/// next start and `sandbox selinux restore` use it up.
/// </summary>
internal sealed class RelabelJournal(string folder)
{
    private const int WriteAttempts = 10;
    private const string Unfinished = ".new";

    /// <summary>Root's for the whole host; else the user's own.</summary>
    public static RelabelJournal ForThisUser() => new(Environment.IsPrivilegedProcess
        ? "/var/lib/sandbox/selinux"
        : Path.Combine(Environment.GetEnvironmentVariable("HOME") is { Length: > 0 } home ? home : "/", ".local/state/sandbox/selinux"));

    public string Folder => folder;

    public bool Has(CategoryPair pair) => File.Exists(FileOf(pair));

    /// <summary>The pairs of sandboxes that have relabelled something; their launchers may be alive.</summary>
    public PairSet Pairs() => PairsOf("");

    /// <summary>The pairs of sandboxes whose journal was not written to its end, which have relabelled nothing; their launchers may be alive, and at it.</summary>
    public PairSet UnfinishedPairs() => PairsOf(Unfinished);

    public IReadOnlyList<JournalEntry> Read(CategoryPair pair)
    {
        List<JournalEntry> entries = [];
        if (!Has(pair))
        {
            return entries; // used up meanwhile
        }

        foreach (string line in TextFile.ReadLines(FileOf(pair)))
        {
            if (JournalEntry.TryParse(line, out JournalEntry? entry))
            {
                entries.Add(entry!);
            }
        }

        return entries;
    }

    /// <summary>On disk when it returns, whole or not at all.</summary>
    public void Write(CategoryPair pair, IReadOnlyList<JournalEntry> entries)
    {
        StringBuilder lines = new();
        foreach (JournalEntry entry in entries)
        {
            lines.Append(entry.ToLine()).Append('\n');
        }

        byte[] text = Encoding.UTF8.GetBytes(lines.ToString());
        string file = FileOf(pair);
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                FolderEntry.MakeFolders(folder);
                FolderEntry.Write(file + Unfinished, text);
                FolderEntry.Rename(file + Unfinished, file);
                return;
            }
            catch (LinuxException failure) when (failure.Errno == Errno.ENOENT && attempt < WriteAttempts)
            {
                // Another sandbox has just removed the folder, which was empty.
            }
        }
    }

    /// <summary>With the folder, when nothing else is in it.</summary>
    public void Remove(CategoryPair pair)
    {
        _ = FolderEntry.TryRemove(FileOf(pair));
        RemoveFolder();
    }

    /// <summary>By whoever holds the pair.</summary>
    public void RemoveUnfinished(CategoryPair pair) => _ = FolderEntry.TryRemove(FileOf(pair) + Unfinished);

    /// <summary>When nothing is in it. Whoever is about to write makes it again.</summary>
    public void RemoveFolder() => _ = FolderEntry.TryRemoveFolder(folder);

    private PairSet PairsOf(string ending)
    {
        PairSet pairs = new();
        foreach (string name in Names())
        {
            if (name.EndsWith(ending, StringComparison.Ordinal) && CategoryPair.TryParse(name.AsSpan(0, name.Length - ending.Length), out CategoryPair pair))
            {
                pairs.Add(pair);
            }
        }

        return pairs;
    }

    private IReadOnlyList<string> Names()
    {
        try
        {
            return Directory.Exists(folder) ? FolderNames.In(folder) : [];
        }
        catch (LinuxException failure) when (failure.Errno == Errno.ENOENT)
        {
            return []; // another sandbox, the last in it, has removed it meanwhile
        }
    }

    private string FileOf(CategoryPair pair) => Path.Combine(folder, pair.ToString());
}
