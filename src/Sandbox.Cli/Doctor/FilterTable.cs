using System.Globalization;
using System.Text;
using Sandbox.Host;
using Sandbox.Linux;

namespace Sandbox.Cli.Doctor;

/// <summary>sandbox doctor --filters</summary>
internal static class FilterTable
{
    private const int LineWidth = 100;
    private const string Indent = "    ";

    /// <summary>For each filter of the built exes: what it grants.</summary>
    internal static string Text(IReadOnlyList<FilterReport> filters)
    {
        StringBuilder text = new();
        foreach (FilterReport filter in filters)
        {
            List<string> granted = [];
            List<string> failing = [];
            foreach (FilteredCall call in filter.Calls)
            {
                if (call.ErrorNumber == 0)
                {
                    granted.Add(call.ArgumentsChecked ? call.Name + "*" : call.Name);
                }
                else
                {
                    failing.Add($"{call.Name} ({(Errno)call.ErrorNumber})");
                }
            }

            text.Append(CultureInfo.InvariantCulture, $"{filter.Name,-15} {filter.Executable,-15} {StageOf(filter.Name),-8} {granted.Count,2} calls\n");
            Wrap(text, granted);
            if (failing.Count != 0)
            {
                Wrap(text, ["fail without a kill:", .. failing]);
            }
        }

        return text.Append("* for some arguments only. Any other call, and any by an entry for i386 or x32, kills the process.\n").ToString();
    }

    // seccomp/README.md: EXE[-KIND][-start]
    private static string StageOf(string name) => name.EndsWith("-start", StringComparison.Ordinal) ? "start" : "running";

    private static void Wrap(StringBuilder text, List<string> words)
    {
        int column = LineWidth;
        foreach (string word in words)
        {
            bool fits = column + 1 + word.Length <= LineWidth;
            text.Append(fits ? " " : column == LineWidth && ReferenceEquals(word, words[0]) ? Indent : "\n" + Indent).Append(word);
            column = (fits ? column + 1 : Indent.Length) + word.Length;
        }

        text.Append('\n');
    }
}
