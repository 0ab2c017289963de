using Sandbox.Linux;
using Sandbox.Runtime;

namespace Sandbox.Launch;

/// <summary>Runs a program of the host to its end, without input and with an empty environment. Blocks.</summary>
internal static class ToolRun
{
    /// <summary>Of what a tool says on its standard error, this much is kept for a message.</summary>
    public const int ErrorTailBytes = 4096;

    /// <param name="name">Looked up in the system's folders.</param>
    /// <param name="package">The Debian package that has it.</param>
    /// <param name="arguments">Without its name.</param>
    /// <exception cref="SandboxException">It is missing, or ended with another code than 0.</exception>
    public static void Run(string name, string package, IReadOnlyList<string> arguments)
    {
        string tool = HostTool.Find(name) ?? throw new SandboxException(SandboxErrorKind.HostNotReady, $"{name} is missing; apt-get install {package}");
        using FdHandle executable = OperatorFile.Open(tool, name, writable: false);
        using FdHandle nothing = FileOpen.ReadWrite("/dev/null");
        (FdHandle reader, FdHandle writer) = Pipe.Create();
        using (reader)
        {
            using ChildProcess child = Spawner.Spawn(new SpawnSpec
            {
                Executable = executable,
                Arguments = [name, .. arguments],
                Fds = [new(0, nothing), new(1, nothing), new(2, writer)],
            });
            writer.Dispose();
            TailBuffer tail = new(ErrorTailBytes);
            ExitStatus status = WaitForEnd(child, reader, tail);
            if (status.ShellCode != 0)
            {
                throw new SandboxException(SandboxErrorKind.HostFailure, $"{name} {string.Join(' ', arguments)} ended with {status.ToString()}: {tail.LastLine()}");
            }
        }
    }

    /// <summary>Reads what a tool says on its standard error until nobody can write there any more, then waits for its end.</summary>
    public static ExitStatus WaitForEnd(ChildProcess child, FdHandle errors, TailBuffer tail)
    {
        Span<byte> buffer = stackalloc byte[1024];
        int count;
        while ((count = FdIo.Read(errors.Number, buffer)) > 0)
        {
            tail.Append(buffer[..count]);
        }

        return child.Wait();
    }
}
