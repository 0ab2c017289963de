using Sandbox.Labels;

namespace Sandbox.Host;

/// <summary>What SELinux is on this host, and what sandboxes have relabelled.</summary>
public sealed class SeLinuxReport
{
    /// <summary>In words: not active, permissive or enforcing, and whether the policy knows Sandbox.</summary>
    public required string State { get; init; }

    /// <summary>The pairs that processes have now, of sandboxes and of other tools.</summary>
    public required IReadOnlyList<string> Running { get; init; }

    /// <summary>Images that have a sandbox's label, each with the pair and the label it had before.</summary>
    public required IReadOnlyList<string> Relabelled { get; init; }

    /// <summary>Those of them whose launcher is gone.</summary>
    public required IReadOnlyList<string> Abandoned { get; init; }

    /// <summary>Looks at this host. Changes nothing.</summary>
    public static SeLinuxReport Inspect()
    {
        SeLinuxState host = SeLinuxState.Read();
        List<string> relabelled = [];
        List<string> abandoned = [];
        RelabelJournal journal = RelabelJournal.ForThisUser();
        PairSet pairs = journal.Pairs();
        for (int index = 0; pairs.TryNext(index, out CategoryPair pair); index = pair.Index + 1)
        {
            using PairLease? lease = PairLease.TryTake(pair);
            foreach (JournalEntry entry in journal.Read(pair))
            {
                (lease is null ? relabelled : abandoned).Add($"{pair.ToString()} {entry.Path} (before: {entry.Before})");
            }
        }

        return new SeLinuxReport
        {
            State = Describe(host),
            Running = host.IsEnabled ? LabelsInUse.Pairs().ToTexts() : [],
            Relabelled = [.. relabelled, .. abandoned],
            Abandoned = abandoned,
        };
    }

    /// <summary>Puts back the labels of images whose launcher is gone.</summary>
    /// <returns>A line for each that could not be put back.</returns>
    public static IReadOnlyList<string> Restore() => new LabelRestorer(RelabelJournal.ForThisUser()).RestoreAbandoned();

    internal static string Describe(SeLinuxState host) =>
        !host.IsEnabled ? "not active"
        : !host.KnowsSandbox ? $"{Mode(host)}; the policy does not know Sandbox, or not for the role {host.Own.Role}"
        : host.IsPermissiveForUs ? $"{Mode(host)}; the policy exempts Sandbox (permissive)"
        : $"{Mode(host)}; the policy knows Sandbox";

    private static string Mode(SeLinuxState host) => host.IsEnforcing ? "enforcing" : "permissive";
}
