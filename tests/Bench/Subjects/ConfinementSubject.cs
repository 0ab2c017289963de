using Sandbox.Bench.Figures;
using Sandbox.Bench.Machines;
using Sandbox.Testing.Filters;

namespace Sandbox.Bench.Subjects;

/// <summary>
/// What jail and filters cost: the same machine with a disk, with and without them. Without a jail the exes are spawned bare; without filters they
/// are copies whose filters allow every call.
/// </summary>
internal sealed class ConfinementSubject(string image) : IDisposable
{
    private readonly ChangedExe _vmm = new ChangedExe(Place.Exe("sandbox-vmm")).WithEmptyFilters("vmm-start", "vmm", "vmm-vcpu").Write();
    private readonly ChangedExe _device = new ChangedExe(Place.Exe("sandbox-device")).WithEmptyFilters("device-start", "device-block").Write();

    public IEnumerable<Comparison> Starts(int rounds)
    {
        Series[] taken = Turns.Take(rounds, () => Start(true, true), () => Start(true, false), () => Start(false, true), () => Start(false, false));
        const string Subject = "start to first guest instruction, a disk's process too";
        yield return new Comparison(Subject, "ms", ("jail and filters", taken[0]), ("neither", taken[3]));
        yield return new Comparison(Subject, "ms", ("jail and filters", taken[0]), ("jail alone", taken[1]));
        yield return new Comparison(Subject, "ms", ("jail and filters", taken[0]), ("filters alone", taken[2]));
    }

    public Table Memory()
    {
        List<IReadOnlyList<string>> rows = [];
        foreach ((string name, bool jail, bool filters) in ((string, bool, bool)[])[("jail and filters", true, true), ("jail alone", true, false), ("filters alone", false, true), ("neither", false, false)])
        {
            using BenchVm vm = Open(jail, filters);
            _ = vm.WaitFor('h');
            ProcessMemory vmm = ProcessMemory.Of(vm.ProcessIds[0]);
            ProcessMemory device = ProcessMemory.Of(vm.ProcessIds[1]);
            rows.Add([name, $"{vmm.Resident:N0}", $"{vmm.PrivateDirty:N0}", $"{device.Resident:N0}", $"{device.PrivateDirty:N0}"]);
        }

        return new Table(
            "What jail and filters cost in memory (KiB)", ["with", "VMM resident", "VMM private", "device resident", "device private"], rows,
            "From /proc/PID/smaps, guest memory left out. What the kernel keeps for namespaces and compiled filters belongs to no process.");
    }

    public void Dispose()
    {
        _vmm.Dispose();
        _device.Dispose();
    }

    private double Start(bool jail, bool filters)
    {
        using BenchVm vm = Open(jail, filters);
        return (vm.WaitFor('h') - vm.StartedNanoseconds) / 1e6;
    }

    private BenchVm Open(bool jail, bool filters) => BenchVm.StartAsync(new BenchVmOptions
    {
        Guest = "halt",
        DiskImage = image,
        Jailed = jail,
        Vmm = filters ? null : _vmm.Path,
        Device = filters ? null : _device.Path,
    }).GetAwaiter().GetResult();
}
