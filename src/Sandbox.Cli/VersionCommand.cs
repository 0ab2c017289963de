using System.CommandLine;
using System.Text;
using Sandbox.Linux;

namespace Sandbox.Cli;

/// <summary>sandbox version</summary>
internal static class VersionCommand
{
    private const int StandardOutput = 1;

    public static Command Create()
    {
        Command command = new("version", "Prints the version.");
        command.SetAction(static result =>
        {
            _ = FdIo.WriteAll(StandardOutput, Encoding.ASCII.GetBytes($"sandbox {ThisBuild.Version}\n"));
            return 0;
        });
        return command;
    }
}
