using System.Globalization;
using Sandbox.Bench.Figures;
using Sandbox.Bench.Machines;

namespace Sandbox.Bench.Subjects;

/// <summary>Random reads of 4 KiB: a guest that drives the queue in ring 3 and polls, beside a pread loop of the host over the same file and the same places.</summary>
internal static class BlockSubject
{
    private const int BlockBytes = 4096;
    private const int Requests = 0x20000;

    public static IEnumerable<Comparison> Measure(int rounds, string image)
    {
        string peer = Place.Peer("reads");
        long blocks = new FileInfo(image).Length / BlockBytes;
        foreach (int depth in (int[])[1, 32])
        {
            Series[] taken = Turns.Take(rounds, () => Ours(image, depth, blocks), () => Theirs(peer, image, blocks));
            yield return new Comparison(
                $"4 KiB random reads, depth {depth}", "requests/s", ("sandbox-device, ring-3 guest", taken[0]), ("pread loop, one thread", taken[1]), "≥ 0.8");
        }
    }

    private static double Ours(string image, int depth, long blocks)
    {
        string commandLine = string.Create(CultureInfo.InvariantCulture, $"{depth:x} {Requests:x} {blocks:x}");
        using BenchVm vm = BenchVm.StartAsync(new BenchVmOptions { Guest = "blockreads", DiskImage = image, CommandLine = commandLine }).GetAwaiter().GetResult();
        long begin = vm.WaitForWord('b');
        long end = vm.WaitForWord('e');
        return Requests / ((end - begin) / 1e9);
    }

    private static double Theirs(string peer, string image, long blocks) =>
        Requests / (double.Parse(
            Place.Run(peer, image, Requests.ToString(CultureInfo.InvariantCulture), blocks.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture) / 1e9);
}
