using Sandbox.Bench.Machines;

namespace Sandbox.Bench.Report;

/// <summary>What the figures were measured on.</summary>
internal static class MachineDescription
{
    public static IReadOnlyList<string> Lines()
    {
        string[] processor = File.ReadAllLines("/proc/cpuinfo");
        string model = processor.FirstOrDefault(static line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "unknown";
        bool virtualizes = processor.Any(static line => line.StartsWith("flags", StringComparison.Ordinal) && (line.Contains(" svm", StringComparison.Ordinal) || line.Contains(" vmx", StringComparison.Ordinal)));
        return
        [
            $"{model}, {Environment.ProcessorCount} processors, {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 30} GiB",
            $"Linux {File.ReadAllText("/proc/sys/kernel/osrelease").Trim()}, load before the run {File.ReadAllText("/proc/loadavg").Split(' ')[0]}",
            virtualizes ? "KVM with hardware virtualization" : "KVM without hardware virtualization: this kernel emulates guests (ring 0 slowly), so only micro guests run",
            QemuVm.IsInstalled ? QemuVm.Version : "no QEMU",
        ];
    }
}
