using System.Globalization;
using Sandbox.Bench.Figures;
using Sandbox.Bench.Machines;

namespace Sandbox.Bench.Subjects;

/// <summary>Memory of each process, guest memory left out: idle, and after the disk has served a million requests.</summary>
internal static class MemorySubject
{
    private const int BlockBytes = 4096;

    public static Table Measure(string image, int requests)
    {
        List<IReadOnlyList<string>> rows = [];
        using (BenchVm idle = BenchVm.StartAsync(new BenchVmOptions { Guest = "halt", DiskImage = image }).GetAwaiter().GetResult())
        {
            _ = idle.WaitFor('h');
            rows.Add(Row("sandbox-vmm, guest halted", idle.ProcessIds[0]));
            rows.Add(Row("sandbox-device (block), idle", idle.ProcessIds[1]));
        }

        string commandLine = string.Create(CultureInfo.InvariantCulture, $"20 {requests:x} {new FileInfo(image).Length / BlockBytes:x}");
        using (BenchVm busy = BenchVm.StartAsync(new BenchVmOptions { Guest = "blockreads", DiskImage = image, CommandLine = commandLine }).GetAwaiter().GetResult())
        {
            _ = busy.WaitForWord('e');
            rows.Add(Row($"sandbox-vmm, after {requests:N0} requests", busy.ProcessIds[0]));
            rows.Add(Row($"sandbox-device (block), after {requests:N0} requests", busy.ProcessIds[1]));
        }

        using (QemuVm qemu = QemuVm.Start())
        {
            _ = qemu.WaitFor('h');
            rows.Add(Row("QEMU microvm, guest halted", qemu.ProcessId));
        }

        return new Table(
            "Memory of a process, guest memory left out (KiB)", ["process", "resident", "proportional", "private dirty"], rows,
            "From /proc/PID/smaps. Goal: private memory of at most 1,024 KiB for each process.");
    }

    /// <summary>What `sandbox run` has in memory: each of its processes, and all but the launcher together.</summary>
    public static Table Whole()
    {
        List<IReadOnlyList<string>> rows = [];
        using WholeSandbox sandbox = WholeSandbox.Start();
        rows.Add(Row("sandbox (the launcher)", sandbox.LauncherId));
        long resident = 0, proportional = 0, dirty = 0;
        foreach ((string name, int process) in sandbox.Parts())
        {
            ProcessMemory memory = ProcessMemory.Of(process);
            rows.Add(Row(name, memory));
            (resident, proportional, dirty) = (resident + memory.Resident, proportional + memory.Proportional, dirty + memory.PrivateDirty);
        }

        rows.Add(["together, without the launcher", $"{resident:N0}", $"{proportional:N0}", $"{dirty:N0}"]);
        return new Table(
            "Memory of a whole sandbox, guest memory left out (KiB)", ["process", "resident", "proportional", "private dirty"], rows,
            "From /proc/PID/smaps. Goals: the launcher at most 3,072 private; the others together at most 5,120 beside the pages of the exes, which all sandboxes of a host share.");
    }

    private static string[] Row(string name, int process) => Row(name, ProcessMemory.Of(process));

    private static string[] Row(string name, ProcessMemory memory)
    {
        return [name, $"{memory.Resident:N0}", $"{memory.Proportional:N0}", $"{memory.PrivateDirty:N0}"];
    }
}
