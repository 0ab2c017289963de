using System.Globalization;
using System.Text;
using Sandbox.Bench.Figures;

namespace Sandbox.Bench.Report;

/// <summary>The findings as Markdown, which a terminal shows as well.</summary>
internal static class TextReport
{
    public static string Write(Findings findings)
    {
        StringBuilder text = new();
        text.AppendLine(CultureInfo.InvariantCulture, $"# Sandbox, measured {findings.Taken:yyyy-MM-dd HH:mm} UTC").AppendLine();
        foreach (string line in findings.Machine)
        {
            text.Append("- ").AppendLine(line);
        }

        text.AppendLine().AppendLine("Each row: ours and its counterpart, taken in turn in this run; minimum / median / maximum. The ratio is of each pair.").AppendLine();
        List<string[]> rows = [.. findings.Comparisons.Select(Row)];
        AppendTable(text, ["what", "unit", "ours", "", "beside", "", "ratio", "goal"], rows);
        foreach (Table table in findings.Tables)
        {
            text.AppendLine().Append("## ").AppendLine(table.Title).AppendLine();
            AppendTable(text, table.Columns, table.Rows);
            if (table.Note.Length != 0)
            {
                text.AppendLine().AppendLine(table.Note);
            }
        }

        return text.ToString();
    }

    /// <summary>Minimum / median / maximum.</summary>
    public static string Spread(Series series)
    {
        string form = series.Median >= 1000 ? "N0" : series.Median >= 10 ? "F1" : "F2";
        return string.Join(" / ", ((double[])[series.Minimum, series.Median, series.Maximum]).Select(value => value.ToString(form, CultureInfo.InvariantCulture)));
    }

    public static string[] Row(Comparison comparison) =>
    [
        comparison.Subject, comparison.Unit, comparison.Ours.Name, Spread(comparison.Ours.Values), comparison.Theirs.Name, Spread(comparison.Theirs.Values),
        Spread(comparison.Ratio), comparison.Goal,
    ];

    private static void AppendTable(StringBuilder text, IReadOnlyList<string> columns, IReadOnlyList<IReadOnlyList<string>> rows)
    {
        int[] widths = [.. columns.Select((head, place) => rows.Select(row => row[place].Length).Append(head.Length).Max())];
        AppendLine(columns);
        AppendLine([.. widths.Select(static width => new string('-', width))]);
        foreach (IReadOnlyList<string> row in rows)
        {
            AppendLine(row);
        }

        void AppendLine(IReadOnlyList<string> cells) =>
            text.Append("| ").AppendJoin(" | ", cells.Select((cell, place) => cell.PadRight(widths[place]))).AppendLine(" |");
    }
}
