using Sandbox.Control.Agent;
using Sandbox.Linux;
using Sandbox.Linux.Guest;

namespace Sandbox.Init.Agent;

/// <summary>Finds the program of a command as execvpe(3) would, in the PATH of the command's own environment, and starts it.</summary>
internal static class ProgramSearch
{
    private const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <summary>The pid, or the negated error number: ENOENT when there is no such program, else what the kernel says of the one found.</summary>
    public static int Spawn(ExecMessage exec, in CommandStreams streams)
    {
        string program = exec.Arguments[0];
        if (program.Contains('/', StringComparison.Ordinal))
        {
            return CommandSpawner.Spawn(program, exec.Arguments, exec.Environment, exec.WorkingDirectory, streams);
        }

        int verdict = -(int)Errno.ENOENT;
        foreach (string directory in program.Length == 0 ? [] : SearchPath(exec.Environment).Split(':'))
        {
            // An empty or relative entry means the working directory, which is the command's, not ours.
            string candidate = Path.Combine(exec.WorkingDirectory, directory, program);
            if (GuestFiles.CanExecute(candidate) is var access and < 0)
            {
                verdict = access == -(int)Errno.EACCES ? access : verdict;
                continue;
            }

            int result = CommandSpawner.Spawn(candidate, exec.Arguments, exec.Environment, exec.WorkingDirectory, streams);
            if (result != -(int)Errno.EACCES)
            {
                return result;
            }

            // A directory of that name, for example: a later entry may have the program.
            verdict = result;
        }

        return verdict;
    }

    private static string SearchPath(IReadOnlyList<string> environment)
    {
        const string Name = "PATH=";
        foreach (string entry in environment)
        {
            if (entry.StartsWith(Name, StringComparison.Ordinal))
            {
                return entry[Name.Length..];
            }
        }

        return DefaultPath;
    }
}
