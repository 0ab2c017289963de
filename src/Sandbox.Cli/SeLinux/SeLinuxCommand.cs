using System.Text;
using Sandbox.Host;
using Sandbox.Linux;

namespace Sandbox.Cli.SeLinux;

/// <summary>sandbox selinux install|remove|status|restore</summary>
internal static class SeLinuxCommand
{
    private const int StandardOutput = 1;

    public static int Run(ReadOnlySpan<string> arguments)
    {
        switch (arguments)
        {
            case ["status"]:
                return Print(Text(SeLinuxReport.Inspect()));
            case ["restore"]:
                return Restore();
            case ["install"]:
                new SeLinuxModule().Install();
                return Print("the policy knows Sandbox now\n");
            case ["remove"]:
                new SeLinuxModule().Remove();
                return Print("the policy does not know Sandbox any more\n");
            default:
                throw new SandboxException(SandboxErrorKind.InvalidOption, $"selinux {string.Join(' ', arguments)}: not a command; give install, remove, status or restore");
        }
    }

    internal static string Text(SeLinuxReport report)
    {
        StringBuilder text = new();
        text.Append("SELinux                  ").Append(report.State).Append('\n');
        text.Append("pairs in use             ").Append(report.Running.Count == 0 ? "none" : string.Join(' ', report.Running)).Append('\n');
        foreach (string line in report.Relabelled)
        {
            text.Append("relabelled image         ").Append(line).Append('\n');
        }

        if (report.Abandoned.Count > 0)
        {
            text.Append("launcher gone            ").Append(report.Abandoned.Count).Append(" of them; `sandbox selinux restore` puts their labels back, and the next start does\n");
        }

        return text.ToString();
    }

    private static int Restore()
    {
        IReadOnlyList<string> failures = SeLinuxReport.Restore();
        foreach (string failure in failures)
        {
            ErrorLine.Print(failure);
        }

        return failures.Count == 0 ? 0 : ExitCodes.Failure;
    }

    private static int Print(string text) => FdIo.WriteAll(StandardOutput, Encoding.UTF8.GetBytes(text)) == 0 ? 0 : ExitCodes.Failure;
}
