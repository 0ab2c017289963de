using System.Globalization;
using Sandbox.Bench.Figures;
using Sandbox.Bench.Machines;

namespace Sandbox.Bench.Subjects;

/// <summary>
/// What Linux guests get, beside QEMU's: tests/Lab/speed.sh runs where Linux guests run (this machine, or the lab host, whose processor is emulated:
/// there the ratios say what our code costs beside theirs and nothing about hardware).
/// </summary>
internal static class LabSubject
{
    private static readonly (string Name, string Subject, string Unit, string Goal)[] Figures =
    [
        ("init", "command line to the guest's first process", "ms", ""),
        ("start", "command line to exit of `true`", "ms", "≤ 0.4"),
        ("blk-read-4k-depth-1", "disk, 4 KiB random reads, depth 1", "requests/s", "≥ 1"),
        ("blk-read-4k-depth-32", "disk, 4 KiB random reads, depth 32", "requests/s", "≥ 1"),
        ("blk-write-4k-depth-1", "disk, 4 KiB random writes, depth 1", "requests/s", "≥ 1"),
        ("blk-write-4k-depth-32", "disk, 4 KiB random writes, depth 32", "requests/s", "≥ 1"),
        ("blk-read-128k", "disk, 128 KiB reads in a row", "KiB/s", "≥ 1"),
        ("blk-write-128k", "disk, 128 KiB writes in a row", "KiB/s", "≥ 1"),
        ("net-round-trip", "tap interface, round trip of a ping", "ms", "≤ 1"),
        ("net-send", "tap interface, TCP from the guest", "kbit/s", "≥ 1"),
        ("net-receive", "tap interface, TCP to the guest", "kbit/s", "≥ 1"),
        ("vsock-round-trip", "vsock, round trip of a byte", "ms", "≤ 1"),
        ("vsock-send", "vsock, from the guest", "KiB/s", "≥ 1"),
        ("vsock-receive", "vsock, to the guest", "KiB/s", "≥ 1"),
    ];

    private static readonly (string Vmm, string Name)[] Counterparts = [("qemu", "QEMU microvm"), ("storage_daemon", "QEMU and qemu-storage-daemon")];

    public static IEnumerable<Comparison> Measure(int rounds)
    {
        string output = Place.Run(Path.Combine(Place.Root, "tests", "Lab", "speed.sh"), rounds.ToString(CultureInfo.InvariantCulture));
        Dictionary<(string Vmm, string Figure), List<double>> values = [];
        foreach (string[] words in output.Split('\n').Select(static line => line.Split(' ')).Where(static words => words.Length == 3))
        {
            (string, string) key = (words[0], words[1]);
            values.TryAdd(key, []);
            values[key].Add(double.Parse(words[2], CultureInfo.InvariantCulture));
        }

        foreach ((string name, string subject, string unit, string goal) in Figures)
        {
            foreach ((string vmm, string counterpart) in Counterparts)
            {
                // Before qemu-storage-daemon's disk only the disk is another. QEMU's vsock is the host kernel's (vhost-vsock), where the host has it.
                if (values.ContainsKey((vmm, name)))
                {
                    yield return new Comparison(subject, unit, ("sandbox", new Series(values[("sandbox", name)])), (counterpart, new Series(values[(vmm, name)])), goal);
                }
            }
        }
    }

    /// <summary>What tests/Lab/counts.sh counts.</summary>
    public static Table Counts()
    {
        string[] lines = Place.Run(Path.Combine(Place.Root, "tests", "Lab", "counts.sh")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return new Table(
            "Instructions (thousands)", ["what", "count"], [.. lines.Skip(1).Select(static line => line.Split(' ', 2))],
            $"QEMU's deterministic mode ({lines[0]}), the emulated host's kernel and the guest included; tests/Lab/counts.baseline is what `make test` holds them to.");
    }
}
