using System.CommandLine;

namespace Sandbox.Cli.Run;

/// <summary>sandbox run [OPTIONS] [--] COMMAND [ARG...]</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        Command command = new("run", "Boots a microVM, runs a command in it and ends with the command's exit code.");
        RunOptions options = new();
        options.AddTo(command);
        command.SetAction(result => new Runner(options.Read(result)).Run());
        return command;
    }
}
