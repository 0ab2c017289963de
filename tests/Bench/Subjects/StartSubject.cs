using Sandbox.Bench.Figures;
using Sandbox.Bench.Machines;

namespace Sandbox.Bench.Subjects;

/// <summary>From the start of a process to the first instruction of its guest.</summary>
internal static class StartSubject
{
    public static IEnumerable<Comparison> Measure(int rounds, string image)
    {
        Series[] taken = Turns.Take(
            rounds,
            () => Ours(new BenchVmOptions { Guest = "halt", Jailed = false }),
            () => Ours(new BenchVmOptions { Guest = "halt" }),
            () => Ours(new BenchVmOptions { Guest = "halt", DiskImage = image }),
            Qemu);
        const string Unit = "ms";
        (string, Series) qemu = ("QEMU microvm, no jail", taken[3]);
        yield return new Comparison("start to first guest instruction", Unit, ("sandbox-vmm, no jail", taken[0]), qemu);
        yield return new Comparison("start to first guest instruction", Unit, ("sandbox-vmm, jail and filter", taken[1]), qemu);
        yield return new Comparison("start to first guest instruction", Unit, ("sandbox-vmm and a disk's process, jail and filter", taken[2]), qemu, "≤ 0.1");
        yield return new Comparison("what the jail adds", Unit, ("sandbox-vmm, jail and filter", taken[1]), ("sandbox-vmm, no jail", taken[0]));
    }

    private static double Ours(BenchVmOptions options)
    {
        using BenchVm vm = BenchVm.StartAsync(options).GetAwaiter().GetResult();
        return (vm.WaitFor('h') - vm.StartedNanoseconds) / 1e6;
    }

    private static double Qemu()
    {
        using QemuVm vm = QemuVm.Start();
        return (vm.WaitFor('h') - vm.StartedNanoseconds) / 1e6;
    }
}
