using Sandbox.Bench.Figures;
using Sandbox.Bench.Machines;
using Sandbox.Bench.Report;
using Sandbox.Bench.Subjects;

namespace Sandbox.Bench;

/// <summary>
/// Measures on this machine's /dev/kvm, and Linux guests where they run, and writes artifacts/bench/report.md and report.html. Usage:
/// Sandbox.Bench [ROUNDS [confinement | start | memory | block | lab]]: all, or only what jail and filters cost, starts, memory, the disk of a micro guest, or Linux guests.
/// </summary>
internal static class Program
{
    private const int DefaultRounds = 15;
    private const int ParallelRounds = 3;
    private const int LinuxRounds = 5;
    private const int MillionRequests = 1_000_000;
    private const long ImageBytes = 64 << 20;

    private static int Main(string[] arguments)
    {
        if (!File.Exists("/dev/kvm") || !QemuVm.IsInstalled)
        {
            Console.Error.WriteLine("bench: needs /dev/kvm and Debian's qemu-system-x86; install with `make deps-test`");
            return 1;
        }

        int rounds = arguments.Length > 0 ? int.Parse(arguments[0]) : DefaultRounds;
        IReadOnlyList<string> machine = MachineDescription.Lines();
        if (arguments is [_, "lab"])
        {
            Console.Write(TextReport.Write(new Findings(DateTime.UtcNow, machine, Step("Linux guests", () => LabSubject.Measure(rounds)), [])));
            return 0;
        }

        _ = Place.Run("bash", Path.Combine(Place.Root, "kernels", "micro.sh"));
        string image = Path.Combine(Place.Output, "disk.img");
        try
        {
            WriteImage(image);
            if (arguments is [_, "memory"])
            {
                Console.Write(TextReport.Write(new Findings(DateTime.UtcNow, machine, [], Memory(image))));
                return 0;
            }

            if (arguments is [_, "block"])
            {
                Console.Write(TextReport.Write(new Findings(DateTime.UtcNow, machine, Step("block", () => BlockSubject.Measure(rounds, image)), [])));
                return 0;
            }

            if (arguments is [_, "start"])
            {
                Console.Write(TextReport.Write(new Findings(DateTime.UtcNow, machine, Step("starts", () => StartSubject.Measure(rounds, image)), [])));
                return 0;
            }

            using ConfinementSubject confinement = new(image);
            List<Comparison> costs = Step("confinement", () => confinement.Starts(rounds));
            if (arguments is [_, "confinement"])
            {
                Console.Write(TextReport.Write(new Findings(DateTime.UtcNow, machine, costs, [confinement.Memory()])));
                return 0;
            }

            List<Comparison> comparisons = [];
            comparisons.AddRange(Step("starts", () => StartSubject.Measure(rounds, image)));
            comparisons.AddRange(costs);
            comparisons.AddRange(Step("exits", () => ExitSubject.Measure(Math.Max(3, rounds / 3))));
            comparisons.AddRange(Step("block", () => BlockSubject.Measure(Math.Max(3, rounds / 3), image)));
            comparisons.AddRange(Step("Linux guests", () => LabSubject.Measure(Math.Min(rounds, LinuxRounds))));
            List<Table> tables =
            [
                .. Step("parallel", () => One(ParallelSubject.Measure(ParallelRounds, image))),
                .. Memory(image),
                .. Step("memory of confinement", () => One(confinement.Memory())),
                .. Step("instructions", () => One(LabSubject.Counts())),
                .. Step("surface", () => (IEnumerable<Table>)[SurfaceSubject.Count(), SurfaceSubject.Filters(), SurfaceSubject.Triples()]),
            ];
            Findings findings = new(DateTime.UtcNow, machine, comparisons, tables);
            string text = TextReport.Write(findings);
            File.WriteAllText(Path.Combine(Place.Output, "report.md"), text);
            File.WriteAllText(Path.Combine(Place.Output, "report.html"), HtmlReport.Write(findings));
            Console.Write(text);
            return 0;
        }
        finally
        {
            File.Delete(image);
        }
    }

    private static List<T> Step<T>(string name, Func<IEnumerable<T>> measure)
    {
        Console.Error.WriteLine($"bench          {name}");
        return [.. measure()];
    }

    private static List<Table> Memory(string image) =>
        Step("memory", () => (IEnumerable<Table>)[MemorySubject.Measure(image, MillionRequests), MemorySubject.Whole()]);

    private static IEnumerable<Table> One(Table table) => [table];

    // Written, so that both sides read from the page cache: what is compared is the way to it.
    private static void WriteImage(string path)
    {
        byte[] piece = new byte[1 << 20];
        using FileStream file = File.Create(path);
        for (long written = 0; written < ImageBytes; written += piece.Length)
        {
            Random.Shared.NextBytes(piece);
            file.Write(piece);
        }
    }
}
