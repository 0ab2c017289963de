using Sandbox.Cli.Doctor;
using Sandbox.Host;
using Sandbox.Seccomp;
using Sandbox.Testing;
using Sandbox.Testing.Filters;

namespace Sandbox.Unit.Tests.Cli;

/// <summary>`sandbox doctor --filters` reads the filters out of the built exes: what it says is what the policies say, and what the map prints.</summary>
public sealed class FilterTableTests
{
    private static readonly IReadOnlyList<FilterReport> Filters = FilterReport.Inspect(Path.GetDirectoryName(DeviceProcess.ExecutablePath));

    [Fact]
    public void Filters_InTheExes_AreThoseOfThePolicies() =>
        Assert.Equal(
            Directory.GetFiles(PolicyFiles.Folder, "*.policy").Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal),
            Filters.Select(filter => filter.Name));

    [Fact]
    public void Calls_OfEveryFilter_AreThoseOfItsPolicy()
    {
        NameTable names = new("syscalls.txt", File.ReadAllText(Path.Combine(PolicyFiles.Folder, "syscalls.txt")));
        Dictionary<ulong, string> byNumber = names.Values.ToDictionary(entry => entry.Value, entry => entry.Key);
        foreach (FilterReport filter in Filters)
        {
            (string, bool, int)[] expected =
            [
                .. from rule in PolicyFiles.Parse(filter.Name + ".policy")
                   let error = rule.OnMatch == SeccompAction.Allow ? 0 : (int)(rule.OnMatch.Value & 0xFFFF)
                   select (byNumber[(ulong)rule.Number], rule.Alternatives.Count != 0, error),
            ];
            Assert.Equal(expected, filter.Calls.Select(call => (call.Name, call.ArgumentsChecked, call.ErrorNumber)));
        }
    }

    [Fact]
    public void Table_InTheMap_IsWhatTheExesHold() =>
        Assert.Contains(FilterTable.Text(Filters), File.ReadAllText(Path.Combine(PolicyFiles.Folder, "..", "src", "ARCHITECTURE.md")), StringComparison.Ordinal);
}
