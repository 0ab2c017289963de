namespace Sandbox.Confinement.Tests.Exes;

/// <summary>How the shipped exes are linked, read from the files themselves.</summary>
public sealed class LinkTests
{
    private const long MaxBytes = 3_000_000;

    private static readonly string[] Names = ["sandbox", "sandbox-device", "sandbox-init", "sandbox-jail", "sandbox-probe", "sandbox-vmm"];

    public static TheoryData<string> Exes { get; } = [.. Names];

    [Theory]
    [MemberData(nameof(Exes))]
    public void Exe_IsStaticAndPositionIndependent(string name)
    {
        ElfFile exe = new(Repository.Exe(name));
        Assert.Equal(ElfFile.Dyn, exe.Type);
        Assert.NotEqual(0UL, exe.Flags1 & ElfFile.PositionIndependent);
        Assert.DoesNotContain(exe.Segments, segment => segment.Type == Segment.Interpreter);
        Assert.False(exe.NeedsLibraries);
    }

    [Theory]
    [MemberData(nameof(Exes))]
    public void Memory_IsNeverWritableAndExecutable(string name)
    {
        ElfFile exe = new(Repository.Exe(name));
        Assert.DoesNotContain(exe.Segments, segment => segment.Type == Segment.Load && segment.IsWritable && segment.IsExecutable);
        Assert.False(Assert.Single(exe.Segments, segment => segment.Type == Segment.GnuStack).IsExecutable);
        Assert.False(exe.HasTextRelocations);
    }

    [Theory]
    [MemberData(nameof(Exes))]
    public void Relocations_AreReadOnlyAfterTheStart(string name)
    {
        ElfFile exe = new(Repository.Exe(name));
        Assert.Single(exe.Segments, segment => segment.Type == Segment.GnuRelro);
        Assert.NotEqual(0UL, exe.Flags & ElfFile.BindNow);
    }

    [Theory]
    [MemberData(nameof(Exes))]
    public void Size_IsSmall(string name)
    {
        long bytes = new ElfFile(Repository.Exe(name)).Bytes;
        Assert.InRange(bytes, 1, MaxBytes);
    }

    [Theory]
    [MemberData(nameof(Exes))]
    public void Exe_HasNoLibraryToLoadLater(string name)
    {
        // OpenSSL or ICU in a static exe would come with a second C library, and thread-local storage of the first would be overwritten.
        ElfFile exe = new(Repository.Exe(name));
        Assert.False(exe.Holds("libssl.so"u8));
        Assert.False(exe.Holds("libicuuc"u8));
        Assert.False(exe.Holds("libgssapi"u8));
    }

    [Fact]
    public void Folder_HoldsTheExesAndNothingElse()
    {
        string[] found = [.. Directory.GetFiles(Repository.Exes).Select(path => Path.GetFileName(path)!).Where(name => name[0] != '.').Order(StringComparer.Ordinal)];
        Assert.Equal(Names, found);
    }
}
