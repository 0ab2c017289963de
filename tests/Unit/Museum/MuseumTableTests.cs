using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Sandbox.Unit.Tests.Museum;

/// <summary>The museum's table (README.md in this folder) names all rows, and only tests that there are.</summary>
public sealed partial class MuseumTableTests
{
    private const int Rows = 31;

    [Fact]
    public void Table_OfTheMuseum_HasEveryRowOnce()
    {
        int[] rows = [.. RowNumber().Matches(File.ReadAllText(Path.Combine(Folder(), "README.md"))).Select(match => int.Parse(match.Groups[1].Value))];

        Assert.Equal(Enumerable.Range(1, Rows), rows);
    }

    [Fact]
    public void Table_OfTheMuseum_NamesTestsThatThereAre()
    {
        string tests = Path.GetFullPath(Path.Combine(Folder(), "../.."));
        string code = string.Concat(Directory.EnumerateFiles(tests, "*.cs", SearchOption.AllDirectories).Where(path => !path.Contains("/obj/", StringComparison.Ordinal)).Select(File.ReadAllText));
        string[] named = [.. TestName().Matches(File.ReadAllText(Path.Combine(Folder(), "README.md"))).Select(match => match.Groups[1].Value)];

        Assert.NotEmpty(named);
        Assert.DoesNotContain(named, name => !code.Contains($" {name}(", StringComparison.Ordinal));
    }

    private static string Folder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;

    [GeneratedRegex(@"^\| (\d+) \|", RegexOptions.Multiline)]
    private static partial Regex RowNumber();

    [GeneratedRegex(@"`(?:\w+\.)?(\w+_\w+)`")]
    private static partial Regex TestName();
}
