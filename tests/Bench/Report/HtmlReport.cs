using System.Globalization;
using System.Net;
using System.Text;
using Sandbox.Bench.Figures;

namespace Sandbox.Bench.Report;

/// <summary>The findings as one page that needs nothing else: a plot for each comparison, a point for each value.</summary>
internal static class HtmlReport
{
    private const string Style = """
        body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #1c2430; background: #fff }
        table { border-collapse: collapse; margin: 1rem 0 } th, td { text-align: left; padding: .3rem .7rem; border-bottom: 1px solid #dde3ea; vertical-align: top }
        td.number { text-align: right; font-variant-numeric: tabular-nums } figure { margin: 1.2rem 0 } figcaption { font-weight: 600 }
        .ours { fill: #1667c7 } .theirs { fill: #b4491d } svg text { font: 12px system-ui, sans-serif; fill: #1c2430 } .axis { stroke: #9aa6b2 } small { color: #5a6775 }
        """;

    public static string Write(Findings findings)
    {
        StringBuilder page = new();
        page.Append("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Sandbox, measured</title><style>").Append(Style).Append("</style>");
        page.Append(CultureInfo.InvariantCulture, $"<h1>Sandbox, measured {findings.Taken:yyyy-MM-dd HH:mm} UTC</h1><ul>");
        foreach (string line in findings.Machine)
        {
            page.Append("<li>").Append(Text(line));
        }

        page.Append("</ul><p>Ours and its counterpart were taken in turn in this run. A point is a value, the bar its median; shorter is better for times, longer for rates.</p>");
        foreach (Comparison comparison in findings.Comparisons)
        {
            AppendPlot(page, comparison);
        }

        foreach (Table table in findings.Tables)
        {
            AppendTable(page, table);
        }

        return page.Append("</html>\n").ToString();
    }

    private static void AppendPlot(StringBuilder page, Comparison comparison)
    {
        string goal = comparison.Goal.Length == 0 ? "" : $", goal {comparison.Goal}";
        page.Append("<figure><figcaption>").Append(Text(comparison.Subject)).Append("</figcaption><small>ratio ")
            .Append(TextReport.Spread(comparison.Ratio)).Append(Text(goal)).Append("</small><br><svg width=\"900\" height=\"76\" role=\"img\">");
        double most = Math.Max(comparison.Ours.Values.Maximum, comparison.Theirs.Values.Maximum);
        AppendRow(page, 6, "ours", comparison.Ours.Name, comparison.Ours.Values, most, comparison.Unit);
        AppendRow(page, 40, "theirs", comparison.Theirs.Name, comparison.Theirs.Values, most, comparison.Unit);
        page.Append("</svg></figure>");
    }

    private static void AppendRow(StringBuilder page, int top, string kind, string name, Series series, double most, string unit)
    {
        const double Left = 300, Width = 380;
        double Place(double value) => Left + (value / most * Width);
        page.Append(CultureInfo.InvariantCulture, $"<text x=\"0\" y=\"{top + 15}\">{Text(name)}</text>");
        page.Append(CultureInfo.InvariantCulture, $"<rect class=\"{kind}\" opacity=\".35\" x=\"{Left}\" y=\"{top}\" width=\"{Place(series.Median) - Left:F1}\" height=\"22\"/>");
        foreach (double value in series.Values)
        {
            page.Append(CultureInfo.InvariantCulture, $"<circle class=\"{kind}\" cx=\"{Place(value):F1}\" cy=\"{top + 11}\" r=\"2.5\"/>");
        }

        page.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left + Width + 12}\" y=\"{top + 15}\">{TextReport.Spread(series)} {Text(unit)}</text>");
    }

    private static void AppendTable(StringBuilder page, Table table)
    {
        page.Append("<h2>").Append(Text(table.Title)).Append("</h2><table><tr>");
        foreach (string head in table.Columns)
        {
            page.Append("<th>").Append(Text(head));
        }

        foreach (IReadOnlyList<string> row in table.Rows)
        {
            page.Append("<tr>");
            foreach (string cell in row)
            {
                page.Append(cell.Length != 0 && char.IsAsciiDigit(cell[0]) ? "<td class=\"number\">" : "<td>").Append(Text(cell));
            }
        }

        page.Append("</table><p><small>").Append(Text(table.Note)).Append("</small></p>");
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
