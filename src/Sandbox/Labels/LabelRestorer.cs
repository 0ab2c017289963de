using Sandbox.Linux;
using Sandbox.Linux.SeLinux;

namespace Sandbox.Labels;

/// <summary>Puts the labels of images back, at the end of a sandbox or after a launcher that was killed.</summary>
internal sealed class LabelRestorer(RelabelJournal journal)
{
    /// <summary>What a sandbox's processes may take to die after their launcher.</summary>
    private static readonly TimeSpan DyingTime = TimeSpan.FromSeconds(2);

    /// <summary>For each sandbox whose launcher is gone. The images whose label could not be put back, with the reason.</summary>
    public IReadOnlyList<string> RestoreAbandoned()
    {
        List<string> failures = [];
        PairSet pairs = journal.Pairs();
        for (int index = 0; pairs.TryNext(index, out CategoryPair pair); index = pair.Index + 1)
        {
            // Whoever holds the name is the owner, or is doing this very thing.
            using PairLease? lease = PairLease.TryTake(pair);
            if (lease is null || !journal.Has(pair))
            {
                continue;
            }

            if (WaitUntilUnused(pair))
            {
                failures.AddRange(Restore(pair));
            }
            else
            {
                failures.Add($"a process of a sandbox without a launcher still runs at {pair.ToString()}");
            }
        }

        RemoveUnfinished();
        return failures;
    }

    /// <summary>For one sandbox, by whoever holds its pair. The journal goes when nothing of it is left to do.</summary>
    public IReadOnlyList<string> Restore(CategoryPair pair)
    {
        List<JournalEntry> left = [];
        List<string> failures = [];
        foreach (JournalEntry entry in journal.Read(pair))
        {
            try
            {
                Restore(entry);
            }
            catch (LinuxException failure)
            {
                left.Add(entry);
                failures.Add($"{entry.Path} keeps the label {entry.During}: {failure.Message}");
            }
        }

        if (left.Count == 0)
        {
            journal.Remove(pair);
        }
        else
        {
            journal.Write(pair, left);
        }

        return failures;
    }

    /// <summary>What launchers left that were killed while they wrote their journal, or before or after with its folder empty.</summary>
    private void RemoveUnfinished()
    {
        PairSet pairs = journal.UnfinishedPairs();
        for (int index = 0; pairs.TryNext(index, out CategoryPair pair); index = pair.Index + 1)
        {
            using PairLease? lease = PairLease.TryTake(pair);
            if (lease is not null)
            {
                journal.RemoveUnfinished(pair);
            }
        }

        journal.RemoveFolder();
    }

    private static void Restore(JournalEntry entry)
    {
        const int NameOnly = 0x20000 | 0x800 | 0x100; // O_NOFOLLOW | O_NONBLOCK | O_NOCTTY: the image itself, not what somebody may have put there
        FdHandle file;
        try
        {
            file = FileOpen.Open(entry.Path, NameOnly, 0);
        }
        catch (LinuxException failure) when (failure.Errno is Errno.ENOENT or Errno.ENOTDIR or Errno.ELOOP)
        {
            return; // deleted or moved: no image of that name
        }

        using (file)
        {
            if (FileStatus.IdentityOf(file) == (entry.Device, entry.Inode) && FileLabel.Get(file) is { } now && LabelAfter(now, entry) is { } label)
            {
                FileLabel.Set(file, label);
            }
        }
    }

    /// <summary>
    /// What the image is to have again. What somebody has labelled since is not ours to change: null. But restorecon gives back a file's type and leaves
    /// its level: then the pair is still on it, which is nobody's from now on, and is taken off.
    /// </summary>
    internal static string? LabelAfter(string now, JournalEntry entry)
    {
        if (now == entry.During)
        {
            return entry.Before;
        }

        return SecurityContext.TryParse(now, out SecurityContext current)
            && SecurityContext.TryParse(entry.During, out SecurityContext during)
            && SecurityContext.TryParse(entry.Before, out SecurityContext before)
            && during.TryGetPair(out _)
            && current.Level == during.Level
                ? new SecurityContext(current.User, current.Role, current.Type, before.Level).ToString() : null;
    }

    private static bool WaitUntilUnused(CategoryPair pair)
    {
        long end = Environment.TickCount64 + (long)DyingTime.TotalMilliseconds;
        while (LabelsInUse.Pairs().Contains(pair))
        {
            if (Environment.TickCount64 > end)
            {
                return false;
            }

            Thread.Sleep(20);
        }

        return true;
    }
}
