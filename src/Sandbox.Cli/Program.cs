using System.Text;
using Sandbox.Cli.Doctor;
using Sandbox.Cli.Run;
using Sandbox.Cli.SeLinux;
using Sandbox.Host;
using Sandbox.Linux;

namespace Sandbox.Cli;

/// <summary>The command line. Arguments to the library, the library's words to the terminal.</summary>
internal static class Program
{
    private const int StandardOutput = 1;

    private static int Main(string[] arguments)
    {
        try
        {
            return Run(arguments);
        }
        catch (SandboxException failure)
        {
            ErrorLine.Print(failure.Message);
            return failure.Kind switch
            {
                SandboxErrorKind.CommandNotFound => ExitCodes.NotFound,
                SandboxErrorKind.CommandNotExecutable => ExitCodes.NotExecutable,
                _ => ExitCodes.Failure,
            };
        }
    }

    private static int Run(string[] arguments)
    {
        string command = arguments.Length > 0 ? arguments[0] : "";
        bool help = arguments.Length > 1 && arguments[1] is "-h" or "--help";
        switch (command)
        {
            case "run":
                return RunArguments.Parse(arguments.AsSpan(1)) is { } request ? new Runner(request).Run() : Print(Help.Run);
            case "doctor" when help:
                return Print(Help.Doctor);
            case "doctor" when arguments.Length == 1:
                return DoctorCommand.Run();
            case "doctor" when arguments is [_, "--filters"]:
                return Print(FilterTable.Text(FilterReport.Inspect()));
            case "selinux" when help:
                return Print(Help.SeLinux);
            case "selinux":
                return SeLinuxCommand.Run(arguments.AsSpan(1));
            case "doctor" when arguments.AsSpan(1) is ["--prove"] or ["--prove", "--json"]:
                return ProveCommand.Run(json: arguments.Length == 3);
            case "version" or "--version" when arguments.Length == 1:
                return Print($"sandbox {ThisBuild.Version}\n");
            case "-h" or "--help" or "help":
                return Print(Help.All);
            case "":
                throw Invalid("no command; see `sandbox --help`");
            default:
                throw Invalid($"{string.Join(' ', arguments)}: not a command of sandbox; see `sandbox --help`");
        }
    }

    private static int Print(string text)
    {
        int result = FdIo.WriteAll(StandardOutput, Encoding.UTF8.GetBytes(text));
        return result == 0 ? 0 : ExitCodes.Failure;
    }

    private static SandboxException Invalid(string message) => new(SandboxErrorKind.InvalidOption, message);
}
