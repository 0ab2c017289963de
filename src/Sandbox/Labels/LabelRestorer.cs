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
            // Another file, or one that somebody has labelled since: not ours to change.
            if (FileStatus.IdentityOf(file) == (entry.Device, entry.Inode) && FileLabel.Get(file) == entry.During)
            {
                FileLabel.Set(file, entry.Before);
            }
        }
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
