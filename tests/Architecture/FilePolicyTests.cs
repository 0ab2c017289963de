using System.Text.RegularExpressions;

namespace Sandbox.Architecture.Tests;

/// <summary>Names, lengths and contents that every file of the repository keeps to.</summary>
public sealed partial class FilePolicyTests
{
    private const int MaxLines = 400;

    /// <summary>This file names what it forbids.</summary>
    private static IEnumerable<string> Texts => Repository.Files.Where(file => !file.EndsWith(nameof(FilePolicyTests) + ".cs", StringComparison.Ordinal));

    [Fact]
    public void CodeFiles_InLines_AreShort()
    {
        Repository.AssertNone(
            from file in Repository.Code
            let lines = Repository.ReadLines(file).Length
            where lines > MaxLines
            select $"{file}: {lines} lines, at most {MaxLines}: look for the seam");
    }

    /// <summary>A file of one type has its name; a file of several small ones has that of what they have in common.</summary>
    [Fact]
    public void CodeFiles_OfOneType_AreNamedForIt()
    {
        Repository.AssertNone(
            from file in Repository.Code
            let types = TopLevelType().Matches(Repository.Read(file)).Select(match => match.Groups[1].Value).Distinct().ToArray()
            where types.Length == 1 && !Path.GetFileName(file).StartsWith(types[0], StringComparison.Ordinal)
            where !(Path.GetFileName(file) == "Program.cs" && types[0] == "Program")
            select $"{file}: holds {types[0]}");
    }

    [Fact]
    public void FileNames_InTheRepository_ArePlain()
    {
        Repository.AssertNone(Repository.Files.Where(file => !PlainName().IsMatch(file)));
    }

    [Fact]
    public void Files_InTheRepository_AreSources()
    {
        Repository.AssertNone(Repository.Files.Where(file => BinaryName().IsMatch(file)));
    }

    [Fact]
    public void Texts_InTheRepository_HoldNoUnfinishedWork()
    {
        AssertNoLine(UnfinishedWork());
    }

    [Fact]
    public void Texts_InTheRepository_NameNoBuildMachine()
    {
        AssertNoLine(MachinePath());
    }

    [Fact]
    public void Tests_InTheRepository_AreNotSkipped()
    {
        // The one place that may: without /dev/kvm there is nothing to test against. It is counted, and test.sh fails on any count.
        AssertNoLine(SkippedTest(), except: "tests/Guest/KvmFactAttribute.cs");
    }

    [Fact]
    public void Namespaces_OfTheProduct_FollowTheRoom()
    {
        Repository.AssertNone(
            from file in Repository.ProductCode
            where file != "src/Sandbox.Linux/PreRuntime/RuntimeAttributes.cs" // names that the native compiler looks for
            let room = file.Split('/')[1]
            let found = NamespaceLine().Match(Repository.Read(file))
            where found.Success && found.Groups[1].Value != room && !found.Groups[1].Value.StartsWith(room + ".", StringComparison.Ordinal)
            select $"{file}: namespace {found.Groups[1].Value}");
    }

    private static void AssertNoLine(Regex forbidden, string? except = null)
    {
        Repository.AssertNone(
            from file in Texts
            where file != except
            from line in Repository.ReadLines(file).Select((text, index) => (Text: text, Number: index + 1))
            where forbidden.IsMatch(line.Text)
            select $"{file}:{line.Number}: {line.Text.Trim()}");
    }

    [GeneratedRegex(@"^(?:public |internal |file |static |sealed |abstract |readonly |partial |ref |unsafe )*(?:class|struct|record struct|record class|record|enum|interface) (\w+)", RegexOptions.Multiline)]
    private static partial Regex TopLevelType();

    [GeneratedRegex(@"^[A-Za-z0-9._/+-]+$")]
    private static partial Regex PlainName();

    [GeneratedRegex(@"\.(dll|so|a|o|exe|bin|img|ko|deb|cpio|iso|erofs|zip|gz|xz|zst|orig|rej|bak|swp)$|(^|/)(vmlinux|vmlinuz|bzImage)$|~$")]
    private static partial Regex BinaryName();

    [GeneratedRegex(@"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedException")]
    private static partial Regex UnfinishedWork();

    [GeneratedRegex(@"/work/(wt|main|shared|tools|local|cards)\b|\bfarm-[a-z]|/home/[a-z]+/|\.pyenv")]
    private static partial Regex MachinePath();

    [GeneratedRegex(@"\[(Fact|Theory)\(.*\bSkip\s*=|Skip\s*=\s*""")]
    private static partial Regex SkippedTest();

    [GeneratedRegex(@"^namespace ([A-Za-z0-9_.]+)", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();
}
