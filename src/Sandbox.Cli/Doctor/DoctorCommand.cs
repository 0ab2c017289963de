using System.Globalization;
using System.Text;
using Sandbox.Host;
using Sandbox.Linux;

namespace Sandbox.Cli.Doctor;

/// <summary>sandbox doctor</summary>
internal static class DoctorCommand
{
    private const int StandardOutput = 1;

    public static int Run()
    {
        HostReport report = HostReport.Inspect();
        _ = FdIo.WriteAll(StandardOutput, Encoding.UTF8.GetBytes(Text(report)));
        return ExitCode(report);
    }

    /// <summary>A line for each finding: name, ok or missing, what was found, the cure.</summary>
    internal static string Text(HostReport report)
    {
        StringBuilder text = new();
        foreach (HostFinding finding in report.Findings)
        {
            string state = finding.IsPresent ? "ok" : finding.IsRequired ? "missing" : "absent";
            text.Append(CultureInfo.InvariantCulture, $"{finding.Name,-24} {state,-8} {finding.Detail}");
            text.Append(finding.IsPresent || finding.Cure.Length == 0 ? "\n" : $"; {finding.Cure}\n");
        }

        return text.ToString();
    }

    private static int ExitCode(HostReport report)
    {
        List<HostFinding> missing = [.. report.Findings];
        _ = missing.RemoveAll(static finding => finding is not { IsPresent: false, IsRequired: true });
        return missing.Count == 0 ? 0 : missing.TrueForAll(static finding => finding.Name == HostReport.HardwareVirtualization) ? 3 : 1;
    }
}
