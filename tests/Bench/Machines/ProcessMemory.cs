namespace Sandbox.Bench.Machines;

/// <summary>What a process has in memory, without guest memory. All in KiB, from /proc/PID/smaps.</summary>
/// <param name="Resident">Pages that are in memory.</param>
/// <param name="Proportional">The same, each shared page divided by how many share it.</param>
/// <param name="PrivateDirty">Pages that nobody else has and that no file can give back.</param>
internal readonly record struct ProcessMemory(long Resident, long Proportional, long PrivateDirty)
{
    /// <summary>Adds up the mappings, but for those of a memfd: guest memory belongs to the guest.</summary>
    public static ProcessMemory Of(int process)
    {
        long resident = 0, proportional = 0, dirty = 0;
        bool guest = false;
        foreach (string line in File.ReadLines($"/proc/{process}/smaps"))
        {
            if (!char.IsAsciiLetterUpper(line[0]))
            {
                guest = line.Contains("memfd:", StringComparison.Ordinal);
            }
            else if (!guest)
            {
                resident += Value(line, "Rss:");
                proportional += Value(line, "Pss:");
                dirty += Value(line, "Private_Dirty:");
            }
        }

        return new ProcessMemory(resident, proportional, dirty);
    }

    private static long Value(string line, string name) =>
        line.StartsWith(name, StringComparison.Ordinal) ? long.Parse(line[name.Length..].Replace("kB", "", StringComparison.Ordinal).Trim()) : 0;
}
