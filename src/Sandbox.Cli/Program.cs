using System.CommandLine;
using Sandbox.Cli.Doctor;
using Sandbox.Cli.Run;

namespace Sandbox.Cli;

/// <summary>The command line. Arguments to the library, the library's words to the terminal.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        RootCommand root = new("Runs commands in microVMs: each has a Linux kernel of its own on KVM.") { RunCommand.Create(), DoctorCommand.Create(), VersionCommand.Create() };
        ParserConfiguration parsing = new() { ResponseFileTokenReplacer = null, EnablePosixBundling = false };
        InvocationConfiguration invocation = new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
        ParseResult result = root.Parse(args, parsing);
        if (result.Errors.Count > 0)
        {
            ErrorLine.Print(result.Errors[0].Message);
            return ExitCodes.Failure;
        }

        try
        {
            return result.Invoke(invocation);
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
}
