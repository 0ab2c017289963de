using System.Globalization;
using System.Text;
using Sandbox.Proof;

namespace Sandbox.Cli.Doctor;

/// <summary>A proof as a table for a terminal: a line for each act, and what was not refused once more at the end.</summary>
internal static class ProofText
{
    private const string Columns = "behind every wall         in the jail without the filter";

    public static string Of(ProofReport report)
    {
        StringBuilder text = new();
        foreach (ProcessProof process in report.Processes)
        {
            text.Append(CultureInfo.InvariantCulture, $"{process.Process,-42}{Columns}\n");
            string group = "";
            foreach (ActResult act in process.Acts)
            {
                if (act.Group != group)
                {
                    group = act.Group;
                    text.Append(CultureInfo.InvariantCulture, $"  {group}\n");
                }

                text.Append(CultureInfo.InvariantCulture, $"    {act.Text,-38}{Behind(act),-26}{Without(act)}\n");
            }

            int refused = 0;
            foreach (ActResult act in process.Acts)
            {
                refused += act.Outcome.IsRefused ? 1 : 0;
            }

            text.Append(CultureInfo.InvariantCulture, $"  {refused} of {process.Acts.Count} acts refused\n\n");
        }

        foreach (ProcessProof process in report.Processes)
        {
            foreach (ActResult act in process.Acts)
            {
                if (!act.Outcome.IsRefused)
                {
                    text.Append(CultureInfo.InvariantCulture, $"NOT REFUSED: {process.Process}: {act.Text}: {act.Outcome.How}\n");
                }
            }
        }

        return text.Append(report.Holds ? "every act was refused in the place of every process\n" : "").ToString();
    }

    /// <summary>The filter kills; whatever else refused says so with an error.</summary>
    private static string Behind(ActResult act) => act.Outcome.Refusal switch
    {
        ActRefusal.None => "NOT REFUSED",
        ActRefusal.Killed => "killed: filter",
        ActRefusal.NotAttempted => $"NOT ATTEMPTED: {act.Outcome.How}",
        _ => act.Walls == ConfinementWall.None ? act.Outcome.How : $"{act.Outcome.How}: {First(act.Walls)}",
    };

    private static string Without(ActResult act) => act.WithoutFilter.Refusal switch
    {
        ActRefusal.None => "possible: the filter is the wall",
        ActRefusal.NotAttempted => act.WithoutFilter.How,
        _ => act.Walls == ConfinementWall.None ? act.WithoutFilter.How : $"{act.WithoutFilter.How}: {Names(act.Walls)}",
    };

    private static string First(ConfinementWall walls)
    {
        string names = Names(walls);
        int comma = names.IndexOf(',', StringComparison.Ordinal);
        return comma < 0 ? names : names[..comma];
    }

    /// <summary>In words, in the order of the walls.</summary>
    internal static string Names(ConfinementWall walls) => string.Join(", ", WallNames.Of(walls));
}
