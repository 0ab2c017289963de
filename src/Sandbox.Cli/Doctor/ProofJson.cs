using System.Text;
using Sandbox.Proof;

namespace Sandbox.Cli.Doctor;

/// <summary>A proof as JSON (RFC 8259). Written by hand: every text is our own, and a serializer would be a quarter of the exe.</summary>
internal static class ProofJson
{
    private const char FirstPrintable = ' ';

    public static string Of(ProofReport report)
    {
        StringBuilder text = new();
        text.Append("{\"holds\":").Append(report.Holds ? "true" : "false").Append(",\"processes\":[");
        for (int index = 0; index < report.Processes.Count; index++)
        {
            ProcessProof process = report.Processes[index];
            text.Append(index == 0 ? "\n" : ",\n").Append("{\"process\":");
            Quote(text, process.Process).Append(",\"holds\":").Append(process.Holds ? "true" : "false").Append(",\"acts\":[");
            for (int act = 0; act < process.Acts.Count; act++)
            {
                Append(text.Append(act == 0 ? "\n" : ",\n"), process.Acts[act]);
            }

            text.Append("]}");
        }

        return text.Append("]}\n").ToString();
    }

    private static void Append(StringBuilder text, ActResult act)
    {
        Quote(text.Append(" {\"act\":"), act.Act);
        Quote(text.Append(",\"group\":"), act.Group);
        Quote(text.Append(",\"text\":"), act.Text);
        Append(text.Append(",\"outcome\":"), act.Outcome);
        Append(text.Append(",\"withoutFilter\":"), act.WithoutFilter);
        text.Append(",\"walls\":[");
        string separator = "";
        foreach (string wall in WallNames.Of(act.Walls))
        {
            Quote(text.Append(separator), wall);
            separator = ",";
        }

        text.Append("]}");
    }

    private static void Append(StringBuilder text, ActOutcome outcome)
    {
        text.Append("{\"refused\":").Append(outcome.IsRefused ? "true" : "false").Append(",\"how\":");
        Quote(text, outcome.How).Append('}');
    }

    private static StringBuilder Quote(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (char letter in value)
        {
            // What a process said on standard error can be in it.
            _ = letter is '"' or '\\' ? text.Append('\\').Append(letter) : text.Append(letter is < FirstPrintable or > '~' ? '?' : letter);
        }

        return text.Append('"');
    }
}
