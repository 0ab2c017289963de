using System.Globalization;
using Sandbox.Bench.Figures;
using Sandbox.Bench.Machines;

namespace Sandbox.Bench.Subjects;

/// <summary>The round trip guest, VMM, guest for a port and for a memory address that nobody answers, beside the same guest under a loop in C.</summary>
internal static class ExitSubject
{
    private const double Exits = 20_000; // COUNT of kernels/micro/exits.S

    public static IEnumerable<Comparison> Measure(int rounds)
    {
        string peer = Place.Peer("exits");
        List<(double Port, double Memory)> ours = [], theirs = [];
        for (int round = -1; round < rounds; round++)
        {
            (double, double) one = Ours();
            (double, double) other = Theirs(peer);
            if (round >= 0)
            {
                ours.Add(one);
                theirs.Add(other);
            }
        }

        const string Goal = "≤ 1.1";
        yield return new Comparison(
            "exit round trip, port write", "µs", ("sandbox-vmm", new Series(ours.ConvertAll(static pair => pair.Port))), ("C loop", new Series(theirs.ConvertAll(static pair => pair.Port))), Goal);
        yield return new Comparison(
            "exit round trip, memory write", "µs", ("sandbox-vmm", new Series(ours.ConvertAll(static pair => pair.Memory))), ("C loop", new Series(theirs.ConvertAll(static pair => pair.Memory))), Goal);
    }

    private static (double Port, double Memory) Ours()
    {
        using BenchVm vm = BenchVm.StartAsync(new BenchVmOptions { Guest = "exits" }).GetAwaiter().GetResult();
        long port = vm.WaitFor('p');
        long memory = vm.WaitFor('m');
        long end = vm.WaitFor('e');
        return ((memory - port) / 1e3 / Exits, (end - memory) / 1e3 / Exits);
    }

    private static (double Port, double Memory) Theirs(string peer)
    {
        string[] nanoseconds = Place.Run(peer, Place.MicroGuest("exits")).Split(' ', StringSplitOptions.TrimEntries);
        return (
            double.Parse(nanoseconds[0], CultureInfo.InvariantCulture) / 1e3 / Exits,
            double.Parse(nanoseconds[1], CultureInfo.InvariantCulture) / 1e3 / Exits);
    }
}
