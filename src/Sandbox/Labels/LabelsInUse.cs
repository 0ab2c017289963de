using System.Globalization;
using Sandbox.Linux;

namespace Sandbox.Labels;

/// <summary>The labels of the processes on this host: other tools that separate by pairs do not know of our names, but their processes show.</summary>
internal static class LabelsInUse
{
    /// <summary>Far more than an exec takes on a loaded host.</summary>
    private const int ExecMilliseconds = 5000;

    /// <summary>Every pair that a process has now. A process that may not be looked at, or has ended meanwhile, is left out.</summary>
    public static PairSet Pairs()
    {
        PairSet pairs = new();
        foreach (string name in FolderNames.In("/proc"))
        {
            if (int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int processId)
                && Of(processId) is { } label
                && SecurityContext.TryParse(label, out SecurityContext context)
                && context.TryGetPair(out CategoryPair pair))
            {
                pairs.Add(pair);
            }
        }

        return pairs;
    }

    /// <summary>
    /// Whether a process that has begun its exec comes out of it with this label. The kernel closes its fds, by which its launcher knows of the
    /// exec, a moment before it changes the label.
    /// </summary>
    public static bool Becomes(int processId, string label)
    {
        for (long end = Environment.TickCount64 + ExecMilliseconds; Of(processId) is { } found; Thread.Sleep(1))
        {
            if (found == label)
            {
                return true;
            }

            if (Environment.TickCount64 > end)
            {
                return false;
            }
        }

        return false;
    }

    /// <summary>The label of a process; null when there is none to be read.</summary>
    public static string? Of(int processId) => SeLinuxState.ReadWord(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/attr/current"));
}
