using Sandbox.Labels;

namespace Sandbox.Unit.Tests.Labels;

public sealed class RelabelJournalTests : IDisposable
{
    private static readonly CategoryPair Pair = new(1000, 1001);
    private readonly string _parent = Directory.CreateTempSubdirectory("sandbox-journal-").FullName;
    private readonly RelabelJournal _journal;

    public RelabelJournalTests() => _journal = new RelabelJournal(Path.Combine(_parent, "selinux"));

    public void Dispose() => Directory.Delete(_parent, recursive: true);

    [Fact]
    public void Write_ThenRead_GivesTheSameBack()
    {
        JournalEntry[] entries =
        [
            Entry(1, 2, "system_u:object_r:a_t:s0", "system_u:object_r:sbx_image_t:s0:c1000,c1001", "/with spaces in it.img"),
            Entry(long.MaxValue, 0, "system_u:object_r:b_t:s0", "system_u:object_r:sbx_image_t:s0:c1000,c1001", "/b"),
        ];
        _journal.Write(Pair, entries);
        Assert.Equal(entries.Select(entry => entry.ToLine()), _journal.Read(Pair).Select(entry => entry.ToLine()));
        Assert.Equal([Pair.ToString()], _journal.Pairs().ToTexts());
        _journal.Remove(Pair);
        Assert.Empty(_journal.Pairs().ToTexts());
        Assert.False(Directory.Exists(_journal.Folder));
    }

    [Fact]
    public void Write_NameIsALink_LeavesWhatItNamesAlone()
    {
        string victim = Path.Combine(_parent, "victim");
        File.WriteAllText(victim, "untouched");
        Directory.CreateDirectory(_journal.Folder);
        File.CreateSymbolicLink(Path.Combine(_journal.Folder, Pair + ".new"), victim);
        File.CreateSymbolicLink(Path.Combine(_journal.Folder, Pair.ToString()), victim);
        _journal.Write(Pair, [Entry(1, 2, "system_u:object_r:a_t:s0", "system_u:object_r:b_t:s0:c1000,c1001", "/a")]);
        Assert.Equal("untouched", File.ReadAllText(victim));
        Assert.Equal(["/a"], _journal.Read(Pair).Select(entry => entry.Path));
    }

    [Fact]
    public void Read_OfForeignLines_TakesNone()
    {
        _journal.Write(Pair, []);
        File.WriteAllText(Path.Combine(_journal.Folder, Pair.ToString()), "\nx\n1 2 a b\n1 2 a b relative\n-1 2 a b /x\n1 2 a b /good\n");
        Assert.Equal(["/good"], _journal.Read(Pair).Select(entry => entry.Path));
    }

    /// <summary>A start that was killed while it wrote its journal has relabelled nothing yet.</summary>
    [Fact]
    public void Pairs_WithAnUnfinishedFile_DoesNotCountIt()
    {
        Directory.CreateDirectory(_journal.Folder);
        File.WriteAllText(Path.Combine(_journal.Folder, Pair + ".new"), "1 2 a");
        Assert.Empty(_journal.Pairs().ToTexts());
    }

    [Fact]
    public void Restore_WithAnUnfinishedFile_RemovesItAndTheFolder()
    {
        Directory.CreateDirectory(_journal.Folder);
        File.WriteAllText(Path.Combine(_journal.Folder, Pair + ".new"), "1 2 a");
        Assert.Empty(new LabelRestorer(_journal).RestoreAbandoned());
        Assert.False(Directory.Exists(_journal.Folder));
    }

    /// <summary>Its owner lives, and is writing it.</summary>
    [Fact]
    public void Restore_WithAnUnfinishedFileOfAPairThatIsHeld_LeavesIt()
    {
        using PairLease? owner = PairLease.TryTake(Pair);
        Directory.CreateDirectory(_journal.Folder);
        File.WriteAllText(Path.Combine(_journal.Folder, Pair + ".new"), "1 2 a");
        Assert.Empty(new LabelRestorer(_journal).RestoreAbandoned());
        Assert.True(File.Exists(Path.Combine(_journal.Folder, Pair + ".new")));
    }

    [Fact]
    public void Restore_OfImagesThatAreGone_UsesTheJournalUp()
    {
        _journal.Write(Pair, [Entry(1, 2, "a:b:c:d", "e:f:g:h", Path.Combine(_parent, "gone.img"))]);
        Assert.Empty(new LabelRestorer(_journal).RestoreAbandoned());
        Assert.False(_journal.Has(Pair));
    }

    /// <summary>Its owner lives: it will restore them itself.</summary>
    [Fact]
    public void Restore_OfAPairThatIsHeld_LeavesTheJournal()
    {
        using PairLease? owner = PairLease.TryTake(Pair);
        _journal.Write(Pair, [Entry(1, 2, "a:b:c:d", "e:f:g:h", Path.Combine(_parent, "gone.img"))]);
        Assert.Empty(new LabelRestorer(_journal).RestoreAbandoned());
        Assert.True(_journal.Has(Pair));
    }

    /// <summary>Another file has taken the image's name: it is not touched.</summary>
    [Fact]
    public void Restore_OfAnotherFileOfTheName_LeavesItAlone()
    {
        string path = Path.Combine(_parent, "other.img");
        File.WriteAllText(path, "");
        _journal.Write(Pair, [Entry(1, 2, "a:b:c:d", "e:f:g:h", path)]);
        Assert.Empty(new LabelRestorer(_journal).RestoreAbandoned());
        Assert.False(_journal.Has(Pair));
    }

    [Theory]
    [InlineData("u:object_r:image_t:s0:c1,c2", "u:object_r:home_t:s0")] // as the sandbox left it
    [InlineData("u:object_r:home_t:s0:c1,c2", "u:object_r:home_t:s0")] // restorecon has put the type back
    [InlineData("u:object_r:etc_t:s0:c1,c2", "u:object_r:etc_t:s0")]
    [InlineData("u:object_r:image_t:s0", null)] // restorecon -F, or somebody
    [InlineData("u:object_r:image_t:s0:c1,c3", null)] // another sandbox's
    [InlineData("nonsense", null)]
    public void Restore_OfALabel_TakesThePairOffAndChangesNothingElse(string now, string? then) =>
        Assert.Equal(then, LabelRestorer.LabelAfter(now, Entry(1, 2, "u:object_r:home_t:s0", "u:object_r:image_t:s0:c1,c2", "/a")));

    private static JournalEntry Entry(long device, long inode, string before, string during, string path) =>
        new() { Device = device, Inode = inode, Before = before, During = during, Path = path };
}
